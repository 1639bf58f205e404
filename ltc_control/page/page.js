// One stream in, one picture out. Each message replaces the last; what is shown is always now.
import {Circuit} from './circuit.js';
import {RoadMap} from './map.js';
import {Gauges, History, drawLatency, drawCurvature, drawSpeed} from './charts.js';

const $ = (id) => document.getElementById(id);
const RETRY_MS = 1000, QUIET_MS = 3000;

const map = new RoadMap($('map'));
const circuit = new Circuit($('circuit'), $('taus'));
const history = new History($('speed-history'), $('curvature-history'));
let limits = {curvature: 0.2, speed: 12};
let vehicle = '', gauges = null;
let newest = null, shown = 0, pictureUrl = '', beats = [], heardAt = 0;

function say(id, text) {
  const element = $(id);
  if (element.textContent !== text) element.textContent = text;
}

function open() {
  const stream = new WebSocket(`ws://${location.host}/live`);
  stream.binaryType = 'arraybuffer';
  stream.onmessage = (event) => {
    heardAt = performance.now();
    if (typeof event.data === 'string') {
      greet(JSON.parse(event.data));
      return;
    }
    take(event.data);
    stream.send('drawn');
  };
  stream.onclose = () => {
    say('link', 'The drive has ended, or its page cannot be reached. Trying again …');
    document.body.dataset.live = 'no';
    setTimeout(open, RETRY_MS);
  };
}

function greet(hello) {
  say('link', '');
  document.body.dataset.live = 'yes';
  const title = hello.title;
  say('model', title.model || 'ltc_control');
  say('place', title.place || 'ltc_control');
  say('digest', title.digest ? `Model ${title.digest}, ${title.neurons} neurons.` : '');
  document.title = `${title.model || 'drive'} · ltc_control`;
  limits = hello.limits;
  if (vehicle && vehicle !== hello.vehicle) {
    location.reload();                     // another vehicle has other gauges
    return;
  }
  if (!vehicle && hello.vehicle !== 'car') {
    gauges = new Gauges(document.querySelector('.commands'), title.commands, title.ranges);
  }
  vehicle = hello.vehicle;
  document.body.dataset.vehicle = vehicle;
  say('counted', hello.counted);
  say('speed-label', hello.charts[0]);
  say('curvature-label', hello.charts[1]);
  history.mirrored = vehicle !== 'car';
  map.reset(hello.road, hello.path);
  circuit.build(hello.circuit, title);
  history.reset(hello.history, hello.history_s);
  shown = 0;
}

function take(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const tick = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const jpeg = new Uint8Array(buffer, 4 + length);
  showPicture(tick.picture, jpeg);
  map.append(tick.path);
  history.append(tick.at);
  const now = performance.now();
  beats = beats.filter((beat) => now - beat < 3000);
  beats.push(now);
  if (newest === null) requestAnimationFrame(draw);
  newest = tick;
}

$('picture').addEventListener('load', ({target}) => {           // cameras differ in shape
  const shape = `${target.naturalWidth} / ${target.naturalHeight}`;
  if ($('frame').style.aspectRatio !== shape) $('frame').style.aspectRatio = shape;
});

function showPicture(told, jpeg) {
  if (jpeg.length && told.number !== shown) {
    shown = told.number;
    const url = URL.createObjectURL(new Blob([jpeg], {type: 'image/jpeg'}));
    $('picture').src = url;
    if (pictureUrl) URL.revokeObjectURL(pictureUrl);
    pictureUrl = url;
  }
  say('picture-words', told.words || '');
  say('picture-kind', {attention: 'where the network looks', camera: 'camera'}[told.kind] || '');
}

function draw() {
  const tick = newest;
  newest = null;
  $('driver').dataset.level = tick.level;
  say('driver-words', tick.driver_words || 'Waiting for the drive');
  say('verdict', tick.verdict_words);
  say('clock', `${(tick.at[0] || 0).toFixed(1)} s`);
  say('departures', String(tick.departures));
  say('rate', beats.length > 2 ? ((beats.length - 1) * 1000 / (beats.at(-1) - beats[0])).toFixed(0) : '–');
  say('why-label', tick.why ? 'why' : 'asks for');
  say('why', tick.why || tick.words || '–');
  if (gauges) {
    gauges.draw(tick);
  } else {
    drawCurvature(tick, limits);
    drawSpeed(tick, limits);
  }
  say('lane', lane(tick));
  circuit.draw(tick.neurons);
  map.draw(tick.car);
  history.draw();
  drawLatency(tick.latency);
  drawShares(tick.shares);
  drawEvents(tick.events);
  document.body.dataset.count = String(tick.n);
}

function lane(tick) {
  if (!tick.lane) return vehicle === 'car' || !tick.car ? '' : `${tick.car[4].toFixed(1)} m high`;
  const [distance, offset] = tick.lane;
  const side = Math.abs(offset) < 0.005 ? 'centre' : offset > 0 ? 'left of the lane centre' : 'right of the lane centre';
  return `${distance.toFixed(0)} m driven, ${(100 * Math.abs(offset)).toFixed(0)} cm ${side}`;
}

function drawShares(shares) {
  const key = JSON.stringify(shares), box = $('shares');
  if (box.dataset.key === key) return;
  box.dataset.key = key;
  box.replaceChildren(...shares.map(([verdict, share, level]) => {
    const part = document.createElement('span');
    part.dataset.level = level;
    part.dataset.verdict = verdict;
    part.style.flexGrow = String(Math.max(share, 0.001));
    part.title = `${verdict.replaceAll('_', ' ')}: ${(100 * share).toFixed(1)} %`;
    // less than that is a sliver; its words are the title
    part.textContent = share < 0.04 ? '' : `${verdict.replaceAll('_', ' ')} ${(100 * share).toFixed(0)} %`;
    return part;
  }));
}

function drawEvents(events) {
  const key = JSON.stringify(events);
  const list = $('events');
  if (list.dataset.key === key || !events.length) return;
  list.dataset.key = key;
  list.replaceChildren(...events.map((event) => {
    const item = document.createElement('li'), time = document.createElement('time');
    item.dataset.level = event.level;
    time.textContent = `${(event.t || 0).toFixed(1)} s`;
    item.append(time, document.createTextNode(event.text));
    return item;
  }));
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  map.recolour();
  history.recolour();
}

const system = matchMedia('(prefers-color-scheme: dark)');
const kept = () => { try { return localStorage.getItem('theme'); } catch { return null; } };
const wanted = () => kept() || (system.matches ? 'dark' : 'light');
system.addEventListener('change', () => setTheme(wanted()));
$('theme').addEventListener('click', () => {
  const theme = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
  try { localStorage.setItem('theme', theme); } catch { /* then only until the next reload */ }
  setTheme(theme);
});
$('follow').addEventListener('click', () => {
  $('follow').setAttribute('aria-pressed', String(map.toggleFollow()));
});
setInterval(() => {
  if (document.body.dataset.live === 'yes' && performance.now() - heardAt > QUIET_MS) {
    say('link', 'Nothing has come for some seconds: is the drive standing still?');
  } else if (document.body.dataset.live === 'yes') {
    say('link', '');
  }
}, 1000);

setTheme(wanted());
open();
