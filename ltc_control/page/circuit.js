// The wiring as a picture: inputs, inter, command and motor neurons from left to right.
const NS = 'http://www.w3.org/2000/svg';
const WIDTH = 640, TOP = 30, BOTTOM = 8, LEAST_HEIGHT = 420;
const INPUTS = 40;
const COLUMNS = {inter: 218, command: 396, motor: 540};
const RADIUS = {inter: 12.5, command: 14.5, motor: 18, unit: 11};
const THINNEST = 0.35, WIDEST = 6.5, WIDEST_INPUT = 3.2;
const SHORTEST_TAU = 0.001, LONGEST_TAU = 1;       // [s] ends of the bars

function element(name, attributes, parent) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent.append(made);
  return made;
}

const spread = (count, height) => (index) => TOP + (height - TOP - BOTTOM) * (index + 0.5) / count;

export class Circuit {
  constructor(svg, taus) {
    this.svg = svg;
    this.taus = taus;
    this.scale = 0.05;                     // of a current: grows to the largest seen, fades slowly
    this.inputScale = 0.05;
    this.last = null;
    new ResizeObserver(() => this.fit()).observe(svg);
  }

  fit() {
    if (this.told && Math.abs(this.tall() - this.height) > 8) this.build(this.told, this.title);
  }

  tall() {                                 // of the drawing, so that it fills its card
    const {width, height} = this.svg.getBoundingClientRect();
    return width ? Math.max(LEAST_HEIGHT, Math.round(WIDTH * height / width)) : LEAST_HEIGHT;
  }

  build(told, title) {
    this.svg.replaceChildren();
    this.taus.replaceChildren();
    this.nodes = this.inner = this.sensory = null;
    this.told = told;
    this.title = title;
    if (!told) {
      document.getElementById('circuit-note').textContent = 'no model was named, so its wiring is not known';
      return;
    }
    if (told.note) document.getElementById('circuit-note').textContent = told.note;
    const byRole = (role) => told.names.map((_, i) => i).filter((i) => told.roles[i] === role);
    const height = this.height = this.tall();
    this.svg.setAttribute('viewBox', `0 0 ${WIDTH} ${height}`);
    this.places = told.inner.length ? this.inColumns(byRole) : this.inGrid();
    this.inputs = Array.from({length: told.inputs}, (_, i) => [INPUTS, spread(told.inputs, height)(i)]);
    const edges = element('g', {}, this.svg), dots = element('g', {}, this.svg);
    this.sensory = told.sensory.map((ends) => this.edge(edges, this.inputs[ends[0]], ends, 3, 'sensory'));
    this.inner = told.inner.map((ends) => this.edge(edges, this.places[ends[0]], ends, this.radius(ends[0]), 'inner'));
    for (const [x, y] of this.inputs) element('circle', {cx: x, cy: y, r: 2.6, class: 'input'}, dots);
    this.nodes = told.names.map((name, i) => this.node(dots, name, i, title));
    this.heads(told, byRole);
    this.bars(told);
    this.draw(this.last);                  // a new size is no reason to be blank
  }

  inColumns(byRole) {
    const places = [];
    for (const [role, x] of Object.entries(COLUMNS)) {
      const at = spread(byRole(role).length, this.height);
      byRole(role).forEach((neuron, i) => { places[neuron] = [x, at(i)]; });
    }
    return places;
  }

  inGrid() {
    const count = this.told.names.length, columns = Math.ceil(Math.sqrt(count * 1.4));
    const rows = Math.ceil(count / columns);
    return this.told.names.map((_, i) => [
      WIDTH * ((i % columns) + 0.5) / columns, spread(rows, this.height)(Math.floor(i / columns))]);
  }

  radius(neuron) { return RADIUS[this.told.roles[neuron]] || RADIUS.unit; }

  edge(parent, from, [, target, sign], radius, kind) {
    const [x1, y1] = from, [x2, y2] = this.places[target], r2 = this.radius(target);
    let path;
    if (Math.abs(x1 - x2) < 1) {           // inside one column: out to the right and back
      const out = x1 + radius + 26 + Math.abs(y2 - y1) * 0.12;
      path = `M${x1 + radius * 0.8} ${y1}C${out} ${y1} ${out} ${y2} ${x2 + r2 * 0.8} ${y2}`;
    } else {
      const middle = (x1 + x2) / 2;
      path = `M${x1 + radius} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2 - r2} ${y2}`;
    }
    return element('path', {d: path, class: `edge ${kind} ${sign > 0 ? 'exc' : 'inh'}`,
      'stroke-width': THINNEST, 'stroke-opacity': 0.35}, parent);
  }

  node(parent, name, i, title) {
    const [x, y] = this.places[i], r = this.radius(i), role = this.told.roles[i];
    const group = element('g', {'data-neuron': name}, parent);
    element('circle', {cx: x, cy: y, r, class: 'node'}, group);
    const lit = element('circle', {cx: x, cy: y, r: r - 1.5, class: 'lit', 'fill-opacity': 0}, group);
    if (role === 'motor') {
      const words = (title.commands || [])[Number(name.split('_')[1])] || name.replace('_', ' ');
      element('text', {x: x + r + 7, y: y + 4.5, class: 'motor'}, group).textContent = words;
    } else {
      element('text', {x, y: y + 3.5, class: 'number'}, group).textContent = name.split('_')[1];
    }
    const tip = element('title', {}, group);
    return {lit, tip, name};
  }

  heads(told, byRole) {
    if (!told.inner.length) return;
    const head = (x, text) => { element('text', {x, y: 16, class: 'head'}, this.svg).textContent = text; };
    head(INPUTS, `${told.inputs} inputs`);
    for (const [role, x] of Object.entries(COLUMNS)) head(x, `${byRole(role).length} ${role}`);
  }

  bars(told) {
    this.rows = told.names.map((name, i) => {
      const row = document.createElement('div'), label = document.createElement('span');
      const bar = document.createElement('i'), value = document.createElement('b');
      label.textContent = name.replace('_', ' ');
      row.dataset.role = told.roles[i];
      row.dataset.neuron = name;
      row.append(label, bar, value);
      this.taus.append(row);
      return {bar, value};
    });
  }

  draw(neurons) {
    if (!neurons || !this.nodes || neurons.state.length !== this.nodes.length) return;
    this.last = neurons;
    this.nodes.forEach(({lit, tip, name}, i) => {
      const low = this.told.low[i], high = this.told.high[i], state = neurons.state[i];
      const share = state === null ? 0 : Math.min(1, Math.max(0, (state - low) / (high - low)));
      lit.setAttribute('fill-opacity', (share * share * 0.98 + 0.02).toFixed(3));
      tip.textContent = `${name.replace('_', ' ')}: state ${state}, time constant ${neurons.tau[i]} s`;
    });
    this.scale = this.widths(this.inner, neurons.inner, this.scale, WIDEST, 0.12);
    this.inputScale = this.widths(this.sensory, neurons.sensory, this.inputScale, WIDEST_INPUT, 0.07);
    neurons.tau.forEach((tau, i) => this.drawTau(i, tau));
  }

  widths(edges, currents, scale, widest, faintest) {
    if (!currents || currents.length !== edges.length) return scale;
    const largest = currents.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
    scale = Math.max(largest, scale * 0.995);
    edges.forEach((edge, i) => {
      const share = Math.abs(currents[i]) / scale;
      edge.setAttribute('stroke-width', (THINNEST + widest * share).toFixed(2));
      edge.setAttribute('stroke-opacity', Math.min(0.95, faintest + 1.6 * share).toFixed(2));
    });
    return scale;
  }

  drawTau(i, tau) {
    const {bar, value} = this.rows[i];
    const share = tau === null ? 0 : Math.log(tau / SHORTEST_TAU) / Math.log(LONGEST_TAU / SHORTEST_TAU);
    bar.style.setProperty('--share', Math.min(1, Math.max(0, share)).toFixed(3));
    value.textContent = tau === null ? '–' : tau < 1 ? `${(1000 * tau).toFixed(0)} ms` : `${tau.toFixed(2)} s`;
  }
}
