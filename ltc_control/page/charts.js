// Gauges with their limits, and what the last minute was like.
const $ = (id) => document.getElementById(id);
const NS = 'http://www.w3.org/2000/svg';
const WIDEST_CURVATURE = 0.08;             // [1/m] at the end of the gauge: a curve of 12 m
const BREAK_S = 2;                         // no line across a longer silence

function colours() {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue(`--${name}`).trim();
}

export class History {
  constructor(speed, curvature) {
    this.canvases = [speed, curvature];
    this.samples = [];
    this.seconds = 60;
    this.mirrored = false;                 // of the first chart: a drone also flies backwards
    this.recolour();
  }

  recolour() { this.colour = colours(); }

  reset(samples, seconds) {
    this.samples = samples;
    this.seconds = seconds;
  }

  append(sample) {
    const last = this.samples.at(-1);
    if (last && sample[0] <= last[0] && sample[0] > last[0] - BREAK_S) return;     // known already
    if (last && sample[0] < last[0]) this.samples = [];          // a new drive
    this.samples.push(sample);
    while (this.samples.length && sample[0] - this.samples[0][0] > this.seconds) this.samples.shift();
  }

  draw() {
    this.plot(this.canvases[0], [[1, 'driven', 2.4], [2, 'asked', 1.6], [3, 'passed', 1.2]], this.mirrored);
    this.plot(this.canvases[1], [[4, 'driven', 2.4], [5, 'asked', 1.6], [6, 'passed', 1.2]], true);
  }

  plot(canvas, lines, mirrored) {
    const {pen, width, height} = fitted(canvas);
    if (!width || !height) return;
    const values = lines.flatMap(([index]) => this.samples.map((s) => Math.abs(s[index] ?? 0)));
    const top = Math.max(mirrored ? 0.02 : 4, values.reduce((a, b) => Math.max(a, b), 0)) * 1.12;
    const end = this.samples.length ? this.samples.at(-1)[0] : 0;
    const x = (t) => width - 34 - (end - t) / this.seconds * (width - 34);
    const y = (v) => mirrored ? height / 2 * (1 - v / top) : height - 2 - (height - 4) * v / top;
    pen.strokeStyle = this.colour('line');
    pen.lineWidth = 1;
    for (const v of mirrored ? [0] : [0, top / 2.24, top / 1.12]) {
      pen.beginPath();
      pen.moveTo(0, y(v));
      pen.lineTo(width - 34, y(v));
      pen.stroke();
    }
    pen.fillStyle = this.colour('muted');
    pen.font = '11px system-ui, sans-serif';
    pen.textAlign = 'right';
    pen.fillText(mirrored ? (top / 1.12).toFixed(2) : (top / 1.12).toFixed(0), width, y(top / 1.12) + 8);
    pen.fillText(mirrored ? (-top / 1.12).toFixed(2) : '0', width, mirrored ? height - 5 : height - 2);
    for (const [index, name, thick] of lines) this.line(pen, index, this.colour(name), thick, x, y);
  }

  line(pen, index, colour, thick, x, y) {
    pen.strokeStyle = colour;
    pen.lineWidth = thick;
    pen.globalAlpha = thick > 2 ? 0.45 : 1;
    pen.beginPath();
    let last = null;
    for (const sample of this.samples) {
      const value = sample[index];
      if (value === null) { last = null; continue; }
      pen[last !== null && sample[0] - last < BREAK_S ? 'lineTo' : 'moveTo'](x(sample[0]), y(value));
      last = sample[0];
    }
    pen.stroke();
    pen.globalAlpha = 1;
  }
}

function fitted(canvas) {
  const {clientWidth: width, clientHeight: height} = canvas, ratio = devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext('2d');
  pen.scale(ratio, ratio);
  pen.lineJoin = 'round';
  return {pen, width, height};
}

function shapes(svg, wanted) {
  wanted.forEach(([name, kind, attributes], i) => {
    let shape = svg.children[i];
    if (!shape) {
      shape = document.createElementNS(NS, name);
      shape.setAttribute('class', kind);
      svg.append(shape);
    }
    for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
  });
}

const bar = (kind, x, y, width, height, rx = 0) => ['rect', kind, {
  x: x.toFixed(1), y, width: Math.max(0, width).toFixed(1), height, rx}];

export function drawCurvature(tick, limits) {
  const wide = Math.max(WIDEST_CURVATURE, Math.min(limits.curvature, Math.abs(tick.asked?.[0] ?? 0) * 1.1));
  const x = (k) => 200 - 196 * Math.max(-1, Math.min(1, k / wide));     // left is left
  const bound = Math.min(wide, tick.bounds.curvature);
  shapes($('curvature-gauge'), [
    bar('track', 4, 10, 392, 14, 4),
    bar('beyond', 4, 10, x(bound) - 4, 14), bar('beyond', x(-bound), 10, 396 - x(-bound), 14),
    ['line', 'zero', {x1: 200, x2: 200, y1: 6, y2: 28}],
    bar('asked', x(tick.asked?.[0] ?? 0) - 3, 1, 6, 15, 3),
    bar('passed', x(tick.passed?.[0] ?? 0) - 3, 18, 6, 15, 3)]);
  say('curvature', tick.passed ? `${turn(tick.asked?.[0] ?? 0)}` : '–');
  say('curvature-limit', `at this speed up to ${tick.bounds.curvature.toFixed(3)} 1/m`);
}

function turn(curvature) {
  const way = Math.abs(curvature) < 0.002 ? 'straight' : `${(1 / Math.abs(curvature)).toFixed(0)} m ${curvature > 0 ? 'left' : 'right'}`;
  return `${curvature >= 0 ? '+' : '−'}${Math.abs(curvature).toFixed(4)} 1/m · ${way}`;
}

export function drawSpeed(tick, limits) {
  const top = tick.bounds.speed || limits.speed, x = (v) => 4 + 392 * Math.max(0, Math.min(1, v / (1.08 * top)));
  const driven = tick.car ? tick.car[3] ?? 0 : 0;
  shapes($('speed-gauge'), [
    bar('track', 4, 10, 392, 14, 4), bar('driven', 4, 10, x(driven) - 4, 14, 4),
    bar('beyond', x(top), 10, 396 - x(top), 14), ['line', 'limit', {x1: x(top), x2: x(top), y1: 6, y2: 28}],
    bar('asked', x(tick.asked?.[1] ?? 0) - 3, 1, 6, 15, 3),
    bar('passed', x(tick.passed?.[1] ?? 0) - 3, 18, 6, 15, 3)]);
  say('speed', tick.car ? `${driven.toFixed(1)} m/s · ${(3.6 * driven).toFixed(0)} km/h` : '–');
  say('speed-limit', `at most ${top.toFixed(1)} m/s`);
}

const MIRRORED = new Set(['left', 'yaw_rate', 'curvature']);     // left is left

export class Gauges {                      // one a command, where it is not a car's two
  constructor(section, names, ranges) {
    for (const old of section.querySelectorAll('.gauge')) old.remove();
    this.rows = names.map((name) => {
      const range = ranges[name] || {unit: '', low: -1, high: 1};
      const gauge = document.createElement('div'), row = document.createElement('div');
      const label = document.createElement('span'), value = document.createElement('b');
      const svg = document.createElementNS(NS, 'svg');
      gauge.className = 'gauge';
      gauge.dataset.command = name;
      row.className = 'row';
      label.textContent = name.replaceAll('_', ' ');
      svg.setAttribute('viewBox', '0 0 400 34');
      svg.setAttribute('preserveAspectRatio', 'none');
      row.append(label, value);
      gauge.append(row, svg);
      section.append(gauge);
      return {name, range, value, svg};
    });
  }

  draw(tick) {
    this.rows.forEach(({name, range, value, svg}, i) => {
      const along = (v) => Math.max(0, Math.min(1, (v - range.low) / (range.high - range.low)));
      const x = (v) => 4 + 392 * (MIRRORED.has(name) ? 1 - along(v) : along(v));
      const driven = x(tick.driven?.[i] ?? 0), zero = x(0);
      shapes(svg, [
        bar('track', 4, 10, 392, 14, 4),
        bar('driven', Math.min(zero, driven), 10, Math.abs(driven - zero), 14),
        ['line', 'zero', {x1: zero, x2: zero, y1: 6, y2: 28}],
        bar('asked', x(tick.asked?.[i] ?? 0) - 3, 1, 6, 15, 3),
        bar('passed', x(tick.passed?.[i] ?? 0) - 3, 18, 6, 15, 3)]);
      const asked = tick.asked?.[i];
      const text = asked === undefined || asked === null ? '–' : `${asked < 0 ? '−' : '+'}${Math.abs(asked).toFixed(2)} ${range.unit}`;
      if (value.textContent !== text) value.textContent = text;
    });
  }
}

export function drawLatency(latency) {
  const text = (value) => value === null || value === undefined ? '–' : `${value < 100 ? value.toFixed(1) : value.toFixed(0)} ms`;
  say('p50', text(latency?.p50));
  say('p99', text(latency?.p99));
  say('latency-of', latency?.of === 'simulator' ? 'frame to command, as the simulator measures it' : 'from a frame to the command that it caused');
  const {pen, width, height} = fitted($('latency')), last = latency?.last || [];
  const colour = colours(), top = Math.max(20, ...last), step = width / 60;
  last.forEach((value, i) => {
    const tall = Math.max(1.5, (height - 2) * value / top);
    pen.fillStyle = colour(latency.p99 && value > latency.p99 ? 'warn' : 'exc');
    pen.fillRect(width - (last.length - i) * step, height - tall, Math.max(1, step - 1.5), tall);
  });
}

function say(id, text) {
  const element = $(id);
  if (element.textContent !== text) element.textContent = text;
}
