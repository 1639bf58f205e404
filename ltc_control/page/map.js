// The road where it is known, the way driven so far and the car, seen from above.
const FOLLOW_M = 60, MARGIN_M = 10;

export class RoadMap {
  constructor(canvas) {
    this.canvas = canvas;
    this.follow = false;
    this.points = [];
    this.first = 0;
    this.road = null;
    this.recolour();
  }

  recolour() {
    const style = getComputedStyle(document.documentElement);
    this.colour = (name) => style.getPropertyValue(`--${name}`).trim();
  }

  toggleFollow() {
    this.follow = !this.follow;
    return this.follow;
  }

  reset(road, path) {
    this.points = path.points;
    this.first = path.from;
    this.road = road && {
      ...road, lines: [road.left, road.right, road.lane / 2].map((offset) => road.centre.map(
        ([x, y], i) => [x - offset * Math.sin(road.heading[i]), y + offset * Math.cos(road.heading[i])])),
    };
  }

  append(path) {
    const known = this.first + this.points.length;
    if (path.from > known) this.points.push(...path.points);     // some were missed: join over the gap
    else this.points.push(...path.points.slice(known - path.from));
    this.first = path.from + path.points.length - this.points.length;
  }

  place(car) {
    const {clientWidth: width, clientHeight: height} = this.canvas, ratio = devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
    }
    const view = this.follow && car ? this.around(car) : this.whole(car);
    const turned = !this.follow && (view.high[1] - view.low[1] > view.high[0] - view.low[0]) === (width > height);
    const spanX = view.high[0] - view.low[0], spanY = view.high[1] - view.low[1];
    const scale = Math.min(width / (turned ? spanY : spanX), height / (turned ? spanX : spanY));
    const middle = [(view.low[0] + view.high[0]) / 2, (view.low[1] + view.high[1]) / 2];
    this.scale = scale;
    this.at = ([x, y]) => turned
      ? [width / 2 + scale * (y - middle[1]), height / 2 + scale * (x - middle[0])]
      : [width / 2 + scale * (x - middle[0]), height / 2 - scale * (y - middle[1])];
    this.angle = (yaw) => turned ? Math.PI / 2 - yaw : -yaw;
    return {width, height, ratio};
  }

  around([x, y]) {
    return {low: [x - FOLLOW_M, y - FOLLOW_M], high: [x + FOLLOW_M, y + FOLLOW_M]};
  }

  whole(car) {
    const all = [...(this.road ? this.road.centre : this.points.filter(Boolean)), ...(car ? [car] : [])];
    const low = [Infinity, Infinity], high = [-Infinity, -Infinity];
    for (const point of all.length ? all : [[0, 0]]) {
      for (const axis of [0, 1]) {
        low[axis] = Math.min(low[axis], point[axis] - MARGIN_M);
        high[axis] = Math.max(high[axis], point[axis] + MARGIN_M);
      }
    }
    return {low, high};
  }

  draw(car) {
    const {width, height, ratio} = this.place(car);
    if (!width || !height) return;
    const pen = this.pen = this.canvas.getContext('2d');
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.fillStyle = this.colour('land');
    pen.fillRect(0, 0, width, height);
    pen.lineJoin = pen.lineCap = 'round';
    if (this.road) this.drawRoad();
    this.stroke(this.points, this.colour('asked'), Math.max(2.4, 0.5 * this.scale), false);
    if (car) this.drawCar(car);
    this.drawScale(width, height);
  }

  drawRoad() {
    const pen = this.pen, [left, right, middle] = this.road.lines;
    pen.fillStyle = this.colour('asphalt');
    pen.beginPath();
    for (const line of [left, right]) {
      line.forEach((point, i) => (i ? pen.lineTo(...this.at(point)) : pen.moveTo(...this.at(point))));
      pen.closePath();
    }
    pen.fill('evenodd');
    if (this.scale < 1.2) return;
    for (const line of [left, right]) this.stroke(line, this.colour('paint'), 1, true);
    pen.setLineDash([6, 6]);
    this.stroke(middle, this.colour('paint'), 1, true);
    pen.setLineDash([]);
  }

  stroke(points, colour, width, closed) {
    const pen = this.pen;
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.beginPath();
    let up = true;
    for (const point of points) {
      if (!point) { up = true; continue; }
      pen[up ? 'moveTo' : 'lineTo'](...this.at(point));
      up = false;
    }
    if (closed) pen.closePath();
    pen.stroke();
  }

  drawCar([x, y, yaw]) {
    const pen = this.pen, [px, py] = this.at([x, y]), size = Math.max(8, 2.2 * this.scale);
    pen.save();
    pen.translate(px, py);
    pen.rotate(this.angle(yaw));
    pen.beginPath();
    pen.moveTo(size * 1.25, 0);
    pen.lineTo(-size * 0.8, size * 0.8);
    pen.lineTo(-size * 0.4, 0);
    pen.lineTo(-size * 0.8, -size * 0.8);
    pen.closePath();
    pen.fillStyle = this.colour('glow');
    pen.strokeStyle = this.colour('ink');
    pen.lineWidth = 1.5;
    pen.fill();
    pen.stroke();
    pen.restore();
  }

  drawScale(width, height) {
    const metres = [1000, 500, 200, 100, 50, 20, 10].find((m) => m * this.scale < width / 4) || 5;
    const pen = this.pen, y = height - 16, end = 16 + metres * this.scale;
    pen.strokeStyle = pen.fillStyle = this.colour('muted');
    pen.lineWidth = 2;
    pen.beginPath();
    pen.moveTo(16, y);
    pen.lineTo(end, y);
    pen.stroke();
    pen.font = '12px system-ui, sans-serif';
    pen.fillText(`${metres} m`, 16, y - 6);
  }
}
