// The demo page of the endpoint: asks the models with what people drop, write or film, and shows what came of it.

const by = (id) => document.getElementById(id);
const at = (path) => new URL(path, document.baseURI);

const STAGES = {
  "fetch": "Fetch", "decode": "Decode", "preprocess": "Prepare", "queue": "Queue", "encode": "Encode", "wire": "Wire", "model": "Model",
  "decode-answer": "Read answer", "postprocess": "Interpret", "write": "Write", "rest": "Network and rest",
};
const KINDS = { picture: "Picture", text: "Text", tensors: "Tensors" };
const JSON_SHOWN = 20000;
const LIVE_WIDTH = 640;

let models = [];
let picture = null; // {blob, name, image, found}: what the canvas shows
let asking = null; // the AbortController of the request under way
let live = null; // {stream, socket, ...} while the camera runs

// ---- Asking -------------------------------------------------------------------------------------------------------

const model = () => models.find((each) => each.name === by("model").value);
const kind = () => document.querySelector("#kinds input:checked")?.value ?? model()?.inputs[0];
const secret = () => by("key").value.trim();

function headers(extra = {}) {
  return secret() ? { "X-API-Key": secret(), ...extra } : extra;
}

async function readJson(path) {
  const response = await fetch(at(path), { headers: headers() });
  const answer = await response.json();
  if (!response.ok) throw new Refusal(answer, response.status);
  return answer;
}

class Refusal extends Error {
  constructor(answer, status) {
    super(typeof answer?.error === "string" ? answer.error : `The endpoint answered with status ${status}.`);
    this.status = status;
    this.id = answer?.request_id;
  }
}

async function ask(body, type, curlBody) {
  asking?.abort();
  const mine = (asking = new AbortController());
  const path = `v1/models/${encodeURIComponent(model().name)}:predict`;
  by("answer").setAttribute("aria-busy", "true");
  showCommand(type, curlBody, at(path));
  try {
    const start = performance.now();
    const response = await fetch(at(path), { method: "POST", headers: headers({ "Content-Type": type }), body, signal: mine.signal });
    const bytes = await response.arrayBuffer();
    const milliseconds = performance.now() - start;
    const answer = parsed(bytes, response.status);
    if (!response.ok) throw new Refusal(answer, response.status);
    showError(null);
    showTime(milliseconds, readStages(response.headers.get("Server-Timing")), body.size ?? body.length, bytes.byteLength);
    showAnswer(answer);
  } catch (error) {
    if (error.name !== "AbortError") showError(error);
  } finally {
    if (asking === mine) by("answer").setAttribute("aria-busy", "false");
  }
}

function parsed(bytes, status) {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new Refusal(null, status);
  }
}

function readStages(header) {
  const entries = (header ?? "").split(",").map((part) => part.trim().match(/^([\w-]+);dur=([\d.]+)$/));
  return entries.filter(Boolean).map(([, name, duration]) => [name, Number(duration)]);
}

// ---- Showing ------------------------------------------------------------------------------------------------------

function element(tag, content = "", attributes = {}) {
  const made = document.createElement(tag);
  made.append(content);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function swatch(colour) {
  const made = element("i");
  made.style.background = colour;
  return made;
}

function showError(error) {
  by("error").hidden = error === null;
  if (error === null) return;
  const text = error instanceof TypeError ? `The endpoint cannot be reached: ${error.message}.` : error.message;
  const parts = [element("b", error.status ? `Refused (${error.status})` : "That did not work"), text];
  if (error.id) parts.push(element("small", ` Request ${error.id}`));
  by("error").replaceChildren(...parts);
  by("nothing").hidden = true;
  for (const id of ["time", "found", "document"]) by(id).hidden = true;
  if (picture) { picture.found = null; draw(); }
  if (error.status === 401) { by("key-box").open = true; by("key").focus(); }
}

function showTime(milliseconds, stages, sent, received, name = "round trip") {
  const inside = stages.reduce((sum, [, duration]) => sum + duration, 0);
  const parts = [...stages, ...(stages.length ? [["rest", Math.max(0, milliseconds - inside)]] : [])];
  by("round-trip").textContent = inMilliseconds(milliseconds);
  by("round-trip-name").textContent = name;
  by("sent").textContent = inBytes(sent);
  by("received").textContent = inBytes(received);
  by("bar").replaceChildren(...parts.map(([stage, duration]) => {
    const made = swatch(`var(--${stage in STAGES ? stage : "rest"})`);
    made.style.flexGrow = duration;
    return made;
  }));
  by("legend").replaceChildren(...parts.map(([stage, duration]) => {
    const made = element("li", swatch(`var(--${stage in STAGES ? stage : "rest"})`), { "data-stage": stage });
    made.append(element("span", STAGES[stage] ?? stage), element("b", inMilliseconds(duration)));
    return made;
  }));
  by("bar").hidden = !parts.length;
  by("time").hidden = false;
  by("nothing").hidden = true;
}

function showAnswer(answer) {
  if (picture) picture.found = answer.detections ? answer : null;
  draw();
  const finds = findsOf(answer);
  by("found").hidden = finds === null;
  if (finds) {
    // Read aloud when it changes: not again for every frame of the camera.
    if (by("found-title").textContent !== finds.title) by("found-title").textContent = finds.title;
    by("finds").replaceChildren(...finds.rows);
  }
  // Numbers of a list stand in one line: a box has four.
  const text = JSON.stringify(answer, null, 1).replace(/\[[\s\d.,e+-]+\]/g, (list) => list.replace(/\s+/g, "").replaceAll(",", ", "));
  by("json").textContent = text.length > JSON_SHOWN ? `${text.slice(0, JSON_SHOWN)}\n… ${inBytes(text.length)} in all` : text;
  by("document").hidden = false;
  by("nothing").hidden = true;
}

function findsOf(answer) {
  if (answer.detections) {
    const rows = answer.detections.map((each, number) => scored(each, colourOf(each.class), number));
    return { title: rows.length ? `${rows.length} ${rows.length === 1 ? "object" : "objects"} found` : "Nothing found", rows };
  }
  if (answer.classifications) {
    return { title: "Likeliest classes", rows: answer.classifications.map((each) => scored(each)) };
  }
  const outputs = answer.outputs ?? answer.predictions;
  if (outputs === undefined) return null;
  const named = answer.outputs && !Array.isArray(outputs) && typeof outputs === "object" ? outputs : { [answer.outputs ? "output" : "predictions"]: outputs };
  return { title: "Output tensors", rows: Object.entries(named).map(([name, values]) => tensor(name, values)) };
}

function scored(find, colour, number) {
  const row = element("li", colour ? swatch(colour) : "", { class: colour ? "" : "plain" });
  if (colour) row.style.setProperty("--colour", colour);
  row.append(element("span", find.label ?? `class ${find.class}`), element("b", `${(find.score * 100).toFixed(1)} %`));
  row.append(element("meter", "", { min: 0, max: 1, value: find.score, "aria-hidden": "true" }));
  if (number !== undefined) {
    row.tabIndex = 0;
    for (const event of ["mouseenter", "focus"]) row.addEventListener(event, () => draw(number));
    for (const event of ["mouseleave", "blur"]) row.addEventListener(event, () => draw());
  }
  return row;
}

function tensor(name, values) {
  const shape = [];
  for (let inner = values; Array.isArray(inner); inner = inner[0]) shape.push(inner.length);
  const row = element("li", element("span", name), { class: "values" });
  const first = [values].flat(Infinity).slice(0, 8).map((value) => (typeof value === "object" ? JSON.stringify(value) : String(value)));
  row.append(element("b", shape.join(" × ") || "single"), element("small", first.join(", ") + (first.length === 8 ? ", …" : "")));
  return row;
}

function showCommand(type, curlBody, url) {
  const key = secret() ? " -H \"X-API-Key: $KEY\"" : "";
  by("curl").textContent = `curl${key} -H 'Content-Type: ${type}' ${curlBody} ${quoted(url.href)}`;
  by("command").hidden = false;
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const inMilliseconds = (value) => `${value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0)} ms`;

function inBytes(count) {
  if (count < 1000) return `${count} B`;
  return count < 1e6 ? `${(count / 1e3).toFixed(1)} kB` : `${(count / 1e6).toFixed(2)} MB`;
}

// Dark enough for white letters on them, and for lines on a bright picture.
const COLOURS = ["#0b5cad", "#b4235f", "#b4410e", "#0f7068", "#7b3fb5", "#57690f", "#8a5a00", "#3c4fc1"];
const colourOf = (number) => COLOURS[number % COLOURS.length];

// ---- The picture --------------------------------------------------------------------------------------------------

function draw(strong) {
  const canvas = by("canvas");
  by("empty").hidden = picture !== null;
  by("viewer").classList.toggle("bare", picture === null);
  if (!picture) return;
  const [width, height] = [picture.image.naturalWidth ?? picture.image.width, picture.image.naturalHeight ?? picture.image.height];
  const shown = Math.min(by("viewer").clientWidth / width, (window.innerHeight * 0.68) / height, 2);
  const dense = window.devicePixelRatio || 1;
  canvas.style.width = `${Math.round(width * shown)}px`;
  canvas.width = Math.round(width * shown * dense);
  canvas.height = Math.round(height * shown * dense);
  const context = canvas.getContext("2d");
  context.scale(dense, dense);
  context.drawImage(picture.image, 0, 0, width * shown, height * shown);
  const found = picture.found?.detections ?? [];
  context.font = "600 13px system-ui, sans-serif";
  const faint = (number) => { context.globalAlpha = strong === undefined || strong === number ? 1 : 0.2; };
  found.forEach((find, number) => { faint(number); drawBox(context, find, shown); });
  const taken = [];
  found.forEach((find, number) => { faint(number); drawLabel(context, find, shown, taken); });
  canvas.setAttribute("aria-label", `${picture.name}, ${found.length} ${found.length === 1 ? "box" : "boxes"}`);
}

function drawBox(context, find, shown) {
  const [left, top, right, bottom] = find.box.map((value) => value * shown);
  context.lineJoin = "round";
  for (const [colour, width] of [["rgb(255 255 255 / .8)", 4.5], [colourOf(find.class), 2.5]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.strokeRect(left, top, right - left, bottom - top);
  }
}

// Above the box, inside of it or below: the first place where no stronger label lies.
function drawLabel(context, find, shown, taken) {
  const [left, top, , bottom] = find.box.map((value) => value * shown);
  const text = `${find.label ?? find.class} ${Math.round(find.score * 100)} %`;
  const [width, height] = [context.measureText(text).width + 10, 20];
  const [maxX, maxY] = [context.canvas.clientWidth - width, context.canvas.clientHeight - height];
  const x = Math.max(0, Math.min(left - 1, maxX));
  const places = [top - height, top, bottom - height, bottom].filter((y) => y >= 0 && y <= maxY);
  const free = (y) => taken.every((other) => x >= other.x + other.width || x + width <= other.x || y >= other.y + height || y + height <= other.y);
  const y = places.find(free) ?? places[0] ?? Math.max(0, Math.min(top, maxY));
  taken.push({ x, y, width });
  context.fillStyle = colourOf(find.class);
  context.fillRect(x, y, width, height);
  context.fillStyle = "#fff";
  context.fillText(text, x + 5, y + 14.5);
}

async function take(blob, name) {
  stopCamera();
  const image = new Image();
  image.src = URL.createObjectURL(blob);
  try {
    await image.decode();
    picture = { blob, name, image, found: null };
    draw();
  } catch {
    // What the browser cannot show, the endpoint may still read or refuse in words.
    picture = null;
    by("canvas").width = by("canvas").height = 0;
    draw();
  } finally {
    URL.revokeObjectURL(image.src);
  }
  by("again").hidden = false;
  by("again").onclick = () => askPicture(blob, name);
  await askPicture(blob, name);
}

const askPicture = (blob, name) => ask(blob, blob.type || "application/octet-stream", `--data-binary @${quoted(name)}`);

function drawSample() {
  const canvas = new OffscreenCanvas(960, 600);
  const context = canvas.getContext("2d");
  const fill = (colour, paint) => { context.fillStyle = colour; context.beginPath(); paint(); context.fill(); };
  const disc = (x, y, radius) => context.arc(x, y, radius, 0, 7);
  const sky = context.createLinearGradient(0, 0, 0, 400);
  sky.addColorStop(0, "#8fc4ea");
  sky.addColorStop(1, "#e8f3fa");
  fill(sky, () => context.rect(0, 0, 960, 400));
  fill("#f7d154", () => disc(800, 110, 48));
  fill("#7fae78", () => context.ellipse(260, 420, 420, 120, 0, 0, 7));
  fill("#6b9d6b", () => context.ellipse(800, 430, 400, 100, 0, 0, 7));
  fill("#5d6269", () => context.rect(0, 400, 960, 200));
  fill("#e9e4d4", () => { for (let x = 20; x < 960; x += 150) context.rect(x, 492, 80, 10); });
  fill("#b5483a", () => context.roundRect(250, 330, 440, 110, 26));
  fill("#b5483a", () => { context.moveTo(330, 340); context.lineTo(400, 258); context.lineTo(560, 258); context.lineTo(630, 340); });
  fill("#cfe3ef", () => { context.moveTo(356, 332); context.lineTo(410, 274); context.lineTo(468, 274); context.lineTo(468, 332); });
  fill("#cfe3ef", () => { context.moveTo(486, 274); context.lineTo(550, 274); context.lineTo(600, 332); context.lineTo(486, 332); });
  fill("#f3dfa2", () => context.roundRect(664, 356, 24, 22, 8));
  for (const x of [350, 590]) { fill("#22262b", () => disc(x, 440, 48)); fill("#aab2b9", () => disc(x, 440, 22)); }
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
}

// ---- The camera ---------------------------------------------------------------------------------------------------

async function startCamera() {
  if (!navigator.mediaDevices) throw new Error("This browser gives a page the camera only over HTTPS or on localhost.");
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 } } });
  const video = by("video");
  video.srcObject = stream;
  video.hidden = false;
  await video.play();
  const scale = Math.min(1, LIVE_WIDTH / video.videoWidth);
  const frame = Object.assign(document.createElement("canvas"), { width: video.videoWidth * scale, height: video.videoHeight * scale });
  const url = at(`v1/models/${encodeURIComponent(model().name)}/stream`);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  // A page cannot send headers with a WebSocket: the key goes as a protocol, beside the one that is answered.
  const socket = new WebSocket(url, secret() ? ["kubevc.v1", `kubevc.bearer.${secret()}`] : []);
  live = { stream, socket, frame, video, sent: 0, size: 0, times: [] };
  socket.onopen = sendFrame;
  socket.onmessage = ({ data }) => showFrame(data);
  socket.onclose = ({ reason }) => live?.socket === socket && endLive(reason || "The endpoint closed the stream.");
  by("camera").setAttribute("aria-pressed", "true");
  by("camera").textContent = "Stop the camera";
  by("again").hidden = true;
}

// One frame is under way at a time: the next one is as fresh as can be, and nothing queues.
function sendFrame() {
  if (!live) return;
  const { frame, video, socket } = live;
  frame.getContext("2d").drawImage(video, 0, 0, frame.width, frame.height);
  frame.toBlob((blob) => {
    if (live?.socket !== socket || socket.readyState !== WebSocket.OPEN) return;
    live.sent = performance.now();
    live.size = blob.size;
    socket.send(blob);
  }, "image/jpeg", 0.8);
}

async function showFrame(data) {
  const { frame, sent, size, times } = live;
  const now = performance.now();
  const answer = JSON.parse(data);
  if (answer.error) {
    showError(new Refusal(answer, answer.status));
  } else {
    showError(null);
    times.push(now);
    while (times[0] < now - 2000) times.shift();
    const rate = times.length > 1 ? ((times.length - 1) * 1000) / (now - times[0]) : 0;
    picture = { name: "Camera", image: frame, found: null };
    showTime(now - sent, Object.entries(answer.milliseconds ?? {}), size, data.length, `${rate.toFixed(1)} frames/s`);
    showAnswer(answer);
  }
  sendFrame();
}

function stopCamera() {
  if (!live) return;
  const { stream, socket, video } = live;
  live = null;
  socket.close();
  stream.getTracks().forEach((track) => track.stop());
  video.hidden = true;
  video.srcObject = null;
  by("camera").setAttribute("aria-pressed", "false");
  by("camera").textContent = "Live camera";
}

function endLive(reason) {
  stopCamera();
  showError(new Error(reason));
}

// ---- Models -------------------------------------------------------------------------------------------------------

async function loadModels() {
  const state = by("state");
  try {
    models = (await readJson("v1/models")).models;
    by("model").replaceChildren(...models.map((each) => element("option", each.name, { value: each.name })));
    state.className = "ready";
    by("state-text").textContent = models.length === 1 ? "One model" : `${models.length} models`;
    if (models.length) chooseModel();
  } catch (error) {
    state.className = "wrong";
    by("state-text").textContent = error.status === 401 ? "Needs an API key" : "No answer";
    showError(error);
  }
}

function chooseModel() {
  stopCamera();
  const inputs = model().inputs;
  const choices = inputs.flatMap((each, number) => {
    const radio = element("input", "", { type: "radio", name: "kind", id: `kind-${each}`, value: each, class: "unseen" });
    radio.checked = number === 0;
    return [radio, element("label", KINDS[each] ?? each, { for: radio.id })];
  });
  by("kinds").replaceChildren(by("kinds").firstElementChild, ...choices);
  by("kinds").hidden = inputs.length < 2;
  for (const id of ["time", "found", "document", "command"]) by(id).hidden = true;
  by("nothing").hidden = false;
  showError(null);
  if (picture) { picture.found = null; draw(); }
  choosePane();
}

function choosePane() {
  for (const each of Object.keys(KINDS)) by(`${each}-pane`).hidden = each !== kind();
  if (kind() === "picture") draw();
  else stopCamera();
  if (kind() === "tensors") suggestTensors();
}

async function suggestTensors() {
  const { name } = model();
  const box = by("tensors");
  if (box.dataset.model === name) return;
  box.dataset.model = name;
  box.value = '{"instances": []}';
  try {
    const { metadata } = await readJson(`v1/models/${encodeURIComponent(name)}/metadata`);
    const { inputs } = metadata.signature_def.signature_def.serving_default;
    const filled = Object.entries(inputs).map(([key, info]) => [key, zeros(info)]);
    if (box.dataset.model !== name || filled.some(([, values]) => values === undefined)) return;
    box.value = JSON.stringify({ inputs: filled.length === 1 ? filled[0][1] : Object.fromEntries(filled) });
  } catch {
    // A suggestion only: the model's server may be away, and the request will say so.
  }
}

function zeros({ dtype, tensor_shape: shape }) {
  const sizes = (shape.dim ?? []).map(({ size }) => (Number(size) < 0 ? 1 : Number(size)));
  if (shape.unknown_rank || sizes.reduce((product, size) => product * size, 1) > 2000) return undefined;
  const fill = dtype === "DT_STRING" ? "text" : dtype === "DT_BOOL" ? false : 0;
  return sizes.reduceRight((inner, size) => Array(size).fill(inner), fill);
}

// ---- Wiring -------------------------------------------------------------------------------------------------------

const guarded = (work) => (event) => Promise.resolve().then(() => work(event)).catch(showError);

by("model").addEventListener("change", chooseModel);
by("kinds").addEventListener("change", choosePane);
by("key").addEventListener("change", () => { if (!models.length) loadModels(); });
by("file").addEventListener("change", guarded(({ target }) => {
  const [file] = target.files;
  target.value = "";
  return file && take(file, file.name);
}));
by("sample").addEventListener("click", guarded(async () => take(await drawSample(), "sample.jpg")));
by("camera").addEventListener("click", guarded(() => (live ? stopCamera() : startCamera())));
by("text-pane").addEventListener("submit", guarded((event) => {
  event.preventDefault();
  const text = by("text").value;
  return ask(new Blob([text]), "text/plain; charset=utf-8", `--data-binary ${quoted(text.length > 300 ? "@text.txt" : text)}`);
}));
by("tensors-pane").addEventListener("submit", guarded((event) => {
  event.preventDefault();
  const text = by("tensors").value;
  return ask(new Blob([text]), "application/json", `-d ${quoted(text.length > 300 ? "@tensors.json" : text)}`);
}));
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.target.form?.requestSubmit();
  if (event.key === "Escape") by("key-box").open = false;
});
document.addEventListener("paste", guarded(({ clipboardData }) => {
  const [file] = clipboardData.files;
  return file && kind() === "picture" && take(file, file.name);
}));
for (const event of ["dragover", "drop"]) document.addEventListener(event, (each) => each.preventDefault());
for (const [event, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
  by("viewer").addEventListener(event, () => by("viewer").classList.toggle("over", over));
}
by("viewer").addEventListener("drop", guarded(({ dataTransfer }) => {
  const [file] = dataTransfer.files;
  return file && take(file, file.name);
}));
by("picture-pane").addEventListener("submit", (event) => event.preventDefault());
let drawnWidth = 0;
new ResizeObserver(([{ contentRect }]) => {
  // Drawing changes the height; only another width is news.
  if (contentRect.width !== drawnWidth) requestAnimationFrame(() => draw());
  drawnWidth = contentRect.width;
}).observe(by("viewer"));

loadModels();
