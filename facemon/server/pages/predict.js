// Sends one image at a time to this server, and shows what it predicted and logged. Loads nothing from elsewhere, keeps nothing.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const at = (id) => document.getElementById(id);
let image = null; // the last file that was chosen
let latest = 0; // of several requests the last one is shown

function made(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function clearBoxes() {
  at("boxes").replaceChildren();
  at("boxes").removeAttribute("role");
  at("boxes").setAttribute("aria-hidden", "true");
}

function show(id, isShown) {
  at(id).hidden = !isShown;
}

function say(text, problem = "") {
  at("status").textContent = text;
  at("problem").textContent = problem;
  show("problem", problem !== "");
}

// A word for a POSIX shell.
const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

function address() {
  const url = new URL("predict", location.href);
  if (at("source").value.trim()) url.searchParams.set("source", at("source").value.trim());
  return url.href;
}

function curlOf(file) {
  const token = at("token-field").hidden ? [] : ['-H "Authorization: Bearer $TOKEN"'];
  return ["curl", "--data-binary", quoted(`@${file.name || "image"}`), ...token, quoted(address())].join(" ");
}

function askForToken(text) {
  show("token-field", true);
  say(text);
  at("token").focus();
}

function choose(files) {
  const [file] = files;
  if (!file) return;
  image = file;
  at("send").disabled = false;
  preview(file, files.length);
  predict();
}

function preview(file, count) {
  const others = count > 1 ? `; of ${count} files only the first is sent` : "";
  const picture = at("picture");
  URL.revokeObjectURL(picture.src);
  clearBoxes();
  at("caption").textContent = `${file.name}, ${Math.ceil(file.size / 1024).toLocaleString("en")} KiB${others}`;
  picture.alt = file.name;
  picture.hidden = false;
  picture.onerror = () => {
    picture.hidden = true;
    at("caption").textContent += "; this browser cannot show it";
  };
  picture.src = URL.createObjectURL(file);
  show("figure", true);
}

async function predict() {
  if (!at("token-field").hidden && !at("token").value) {
    askForToken("This server asks for a token: enter it, and press Predict again.");
    return;
  }
  const number = ++latest;
  at("faces").replaceChildren();
  clearBoxes();
  show("logged", false);
  at("curl").textContent = curlOf(image);
  show("request", true);
  say("Predicting …");
  const headers = at("token").value ? { Authorization: `Bearer ${at("token").value}` } : {};
  let answer, text;
  try {
    answer = await fetch(address(), { method: "POST", body: image, headers });
    text = await answer.text();
  } catch {
    if (number === latest) {
      say("No prediction.", "The server did not answer: it may have ended, or the image is larger than it takes.");
    }
    return;
  }
  if (number === latest) receive(answer, text);
}

function receive(answer, text) {
  let found = null;
  try {
    found = JSON.parse(text);
  } catch {
    // a proxy's own page; what it says is shown below
  }
  if (answer.ok && !found?.predictions?.length) {
    // Such as the page on which a proxy asks for a password: not to be shown as a prediction, nor waited for.
    say("No prediction.", `The answer (${answer.status}) is not facemon's: a proxy may have sent it. Load this page again.`);
    return;
  }
  found ??= { message: text.trim().slice(0, 500) };
  if (answer.ok) {
    showRows(found.predictions, answer.headers.get("X-Request-ID"));
    at("answer").textContent = JSON.stringify(found, null, 2);
    return;
  }
  const later = answer.headers.get("Retry-After");
  const what = [`${answer.status} ${found.error ?? ""}: ${found.message ?? ""}.`];
  if (later) what.push(`Try again after ${later} s.`);
  if (found.request) what.push(`Request ${found.request}.`);
  say("No prediction.", what.join(" "));
  if (answer.status === 401) {
    show("token-field", true);
    at("curl").textContent = curlOf(image);
    at("token").focus();
  }
}

function showRows(rows, request) {
  const faces = rows.filter((row) => row.error === null);
  const count = faces.length === 1 ? "One face was found." : faces.length ? `${faces.length} faces were found.` : "";
  say(count || "No face was predicted.");
  at("faces").replaceChildren(...rows.map(card));
  draw(faces);
  facts(rows, request);
}

function card(row, index) {
  if (row.error !== null) return made("p", {}, `${row.error}: ${row.error_message ?? "there is nothing to predict"}`);
  const sure = row.face_confidence == null ? "" : `, found with a score of ${row.face_confidence.toFixed(2)}`;
  const lines = Object.entries(row.attributes).map(([name, found]) => {
    const value = found.value === undefined ? "" : found.value.toFixed(1);
    const said = found.label === undefined ? value : value ? `${found.label} (${value})` : found.label;
    return made("tr", {}, made("th", { scope: "row" }, name), made("td", {}, said), made("td", {}, ...confidence(name, found)));
  });
  const headings = ["attribute", "prediction", "confidence"].map((text) => made("th", { scope: "col" }, text));
  return made(
    "div",
    { class: "face" },
    made("h3", {}, `Face ${index + 1}`, made("small", {}, sure)),
    made("table", {}, made("thead", {}, made("tr", {}, ...headings)), made("tbody", {}, ...lines)),
  );
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

function confidence(name, found) {
  if (found.confidence === undefined) return ["-"];
  const bar = made("meter", { min: 0, max: 1, value: found.confidence, "aria-label": `confidence of ${name}` });
  return [bar, ` ${percent(found.confidence)}`];
}

async function draw(faces) {
  const picture = at("picture");
  const number = latest;
  try {
    await picture.decode();
  } catch {
    return; // it cannot be shown, and the caption says so
  }
  const boxes = faces.map((row, index) => [row.box, index + 1]).filter(([box]) => box);
  if (number !== latest || !boxes.length) return;
  const svg = at("boxes");
  const { naturalWidth: width, naturalHeight: height } = picture;
  const unit = Math.max(width, height) / 100;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.removeAttribute("aria-hidden");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `Boxes of ${boxes.length} ${boxes.length === 1 ? "face" : "faces"}`);
  svg.replaceChildren(...boxes.flatMap(([box, name]) => boxOf(box, name, unit, height)));
}

// Left, top, right and bottom in pixels, both ends inside.
function boxOf([left, top, right, bottom], name, unit, height) {
  const size = 4 * unit;
  const below = top < size * 1.3; // no room above it
  const y = below ? Math.min(bottom + 1, height - size * 1.3) : top - size * 1.3;
  const drawn = (kind, attributes) => {
    const element = document.createElementNS(SVG, kind);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const label = drawn("text", { x: left + size * 0.3, y: y + size, "font-size": size });
  label.textContent = name;
  return [
    drawn("rect", { class: "box", x: left, y: top, width: right - left + 1, height: bottom - top + 1, "stroke-width": unit / 2 }),
    drawn("rect", { class: "tag", x: left, y, width: size * (0.6 + 0.65 * String(name).length), height: size * 1.3 }),
    label,
  ];
}

function facts(rows, request) {
  const [first] = rows;
  const known = [
    ["rows", rows.length],
    ["predicted at", first.predicted_at],
    ["model", first.model],
    ["source", first.source ?? "none"],
    ["SHA-256 of the image", first.image_sha256],
    ["request", request],
  ].filter(([, value]) => value !== undefined && value !== null);
  at("facts").replaceChildren(
    ...known.map(([name, value]) => made("div", {}, made("dt", {}, name), made("dd", {}, String(value)))),
  );
  show("logged", true);
}

// A phone's own camera, or with a mouse the one of the computer, where the browser allows that.
async function openCamera() {
  const isPhone = matchMedia("(pointer: coarse)").matches;
  if (isPhone || !navigator.mediaDevices?.getUserMedia) {
    at("capture").click();
    return;
  }
  try {
    at("video").srcObject = await navigator.mediaDevices.getUserMedia({ video: true });
  } catch (error) {
    say("No photograph.", `The camera cannot be used: ${error.message}`);
    return;
  }
  at("camera-view").showModal();
}

function take() {
  const video = at("video");
  const canvas = made("canvas", { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d").drawImage(video, 0, 0);
  canvas.toBlob((blob) => {
    at("camera-view").close();
    if (blob) choose([new File([blob], "photograph.jpg", { type: "image/jpeg" })]);
  }, "image/jpeg", 0.92);
}

function closeCamera() {
  for (const track of at("video").srcObject?.getTracks() ?? []) track.stop();
  at("video").srcObject = null;
}

for (const id of ["file", "capture"]) {
  at(id).addEventListener("change", (event) => {
    choose([...event.target.files]);
    event.target.value = ""; // so that the same file can be chosen again
  });
}
at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (image) predict();
});
document.addEventListener("paste", (event) => choose([...event.clipboardData.files]));
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  at("drop").classList.add("over");
});
document.addEventListener("dragleave", () => at("drop").classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  at("drop").classList.remove("over");
  choose([...event.dataTransfer.files]);
});
at("camera").addEventListener("click", openCamera);
at("take").addEventListener("click", take);
at("cancel").addEventListener("click", () => at("camera-view").close());
at("camera-view").addEventListener("close", closeCamera);
if (navigator.clipboard) {
  show("copy", true);
  at("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(at("curl").textContent);
    } catch {
      say("The browser does not allow copying: select the command and copy it.");
      return;
    }
    say("The command was copied.");
  });
}
addEventListener("pagehide", () => {
  at("token").value = ""; // a page that the browser keeps for going back holds no token
});

// Whether the server asks for a token is in its description, which everybody may read.
fetch("openapi.json")
  .then((answer) => answer.json())
  .then((description) => show("token-field", Boolean(description.paths["/predict"].post.security)))
  .catch(() => {}); // then the first answer says so, with 401
