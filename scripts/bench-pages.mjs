// Serves pages, runs Lighthouse and the adapter on them, and prints a table. Arguments: a directory with key and certificates, the adapter,
// Lighthouse.
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import http2 from "node:http2";
import https from "node:https";
import { promisify } from "node:util";
import zlib from "node:zlib";

const [here, look, lighthouse] = process.argv.slice(2);
const run = promisify(execFile);

// What of ours says what an audit says; an empty list for what only a browser that runs the page can know.
const OURS = {
  "bf-cache": ["not_restored"], "cache-insight": ["short_cache"], "critical-request-chains": ["import_chain", "render_blocking"],
  "document-latency-insight": ["slow_server", "redirects", "uncompressed"], "dom-size": ["dom_size"], "dom-size-insight": ["dom_size"],
  "efficient-animated-content": ["animated_gif"], "font-display": ["font_display"], "font-display-insight": ["font_display"],
  "image-delivery-insight": ["old_image_format", "oversized_image", "animated_gif"], "lcp-discovery-insight": ["first_image_late", "lazy_first_image"],
  "lcp-lazy-loaded": ["lazy_first_image"], "legacy-javascript": ["legacy_script"], "legacy-javascript-insight": ["legacy_script"],
  "modern-http-insight": ["old_http"], "modern-image-formats": ["old_image_format"],
  "network-dependency-tree-insight": ["import_chain", "render_blocking", "no_preconnect"], "no-document-write": ["document_write"],
  "offscreen-images": ["eager_images"], "prioritize-lcp-image": ["first_image_late", "lazy_first_image"], redirects: ["redirects"],
  "render-blocking-insight": ["render_blocking", "import_chain"], "render-blocking-resources": ["render_blocking", "import_chain"],
  "server-response-time": ["slow_server"], "total-byte-weight": ["total_weight"], "unminified-css": ["unminified"],
  "unminified-javascript": ["unminified"], "unsized-images": ["unsized_image"], "uses-http2": ["old_http"],
  "uses-long-cache-ttl": ["short_cache"], "uses-optimized-images": ["old_image_format"], "uses-rel-preconnect": ["no_preconnect"],
  "uses-responsive-images": ["oversized_image"], "uses-text-compression": ["uncompressed"], viewport: ["no_viewport"],
  "viewport-insight": ["no_viewport"],
};

// The same pages each time (mulberry32).
let state = 7;
const random = () => {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 8) & 0xff;
};
const noise = (bytes) => Buffer.from(Uint8Array.from({ length: bytes }, random));
const word = () => "w" + Array.from({ length: 8 }, () => (random() % 36).toString(36)).join("");
const script = (bytes, blank = "") => {
  let text = "";
  while (text.length < bytes) text += `window.${word()}${blank}=${blank}${random() * random()};${blank && `  // the value of ${word()} that is needed\n      `}`;
  return text;
};
const style = (bytes, blank = "") => {
  let text = "";
  while (text.length < bytes) text += `.${word()}${blank}{${blank && "\n    "}color:${blank}#${noise(3).toString("hex")};${blank && "  /* a colour that somebody likes */\n"}}`;
  return text;
};
const crc = (data) => { const out = Buffer.alloc(4); out.writeUInt32BE(zlib.crc32(data)); return out; };
const chunk = (name, data) => {
  const named = Buffer.concat([Buffer.from(name), data]), length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  return Buffer.concat([length, named, crc(named)]);
};
const png = (width, height) => {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0); head.writeUInt32BE(height, 4); head.set([8, 2, 0, 0, 0], 8);
  const lines = Array.from({ length: height }, () => Buffer.concat([Buffer.from([0]), noise(3 * width)]));
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", head), chunk("IDAT", zlib.deflateSync(Buffer.concat(lines), { level: 1 })), chunk("IEND", Buffer.alloc(0))]);
};
// Codes of eight bits: a clear code before the table would make them wider.
const gif = (side, frames) => {
  const size = [side & 255, side >> 8, side & 255, side >> 8];
  const parts = [Buffer.from("GIF89a"), Buffer.from([...size, 0xf6, 0, 0]), Buffer.from(Array.from({ length: 384 }, (_, at) => (at * 7) & 255)), Buffer.from("\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00", "latin1")];
  for (let frame = 0; frame < frames; frame++) {
    parts.push(Buffer.from([0x21, 0xf9, 4, 0, 10, 0, 0, 0, 0x2c, 0, 0, 0, 0, ...size, 0, 7]));
    const codes = [];
    for (let at = 0; at < side * side; at++) { if (at % 120 === 0) codes.push(128); codes.push(random() & 127); }
    codes.push(129);
    for (let at = 0; at < codes.length; at += 255) { const piece = codes.slice(at, at + 255); parts.push(Buffer.from([piece.length, ...piece])); }
    parts.push(Buffer.from([0]));
  }
  return Buffer.concat([...parts, Buffer.from([0x3b])]);
};

const files = new Map();
const types = { html: "text/html", js: "text/javascript", css: "text/css", png: "image/png", gif: "image/gif", woff2: "font/woff2", svg: "image/svg+xml" };
const KEPT = "public, max-age=31536000, immutable";
// A file; packed and kept unless it says otherwise.
const put = (name, body, { headers = {}, packed = true, kept = true, status = 200, wait = 0 } = {}) => {
  const type = types[name.split(".").pop()] ?? "text/html";
  const isText = /html|javascript|css|svg/.test(type);
  const coded = packed && isText ? { "content-encoding": "br" } : {};
  files.set("/" + name, {
    status, wait, body: coded["content-encoding"] ? zlib.brotliCompressSync(Buffer.from(body)) : Buffer.from(body),
    headers: { "content-type": isText ? `${type}; charset=utf-8` : type, ...(kept ? { "cache-control": KEPT } : {}), ...coded, "access-control-allow-origin": "*", ...headers },
  });
  return "/" + name;
};
const page = (name, head, body, options = {}) => put(`${name}`, `<!doctype html><html lang=en><head><title>${name}</title><meta name=viewport content="width=device-width, initial-scale=1">${head}</head><body><h1>${name}</h1><p>A page to be looked at.</p>${body}</body></html>`, { headers: { "cache-control": "no-cache" }, ...options });

put("favicon.ico", "", { status: 204 });
put("small.js", script(2000)); put("small.css", "body{font-family:sans-serif;margin:1em}img{height:auto}");
const basics = '<link rel=icon href="data:,"><link rel=stylesheet href=/small.css><script defer src=/small.js></script>';
page("well", basics, "<p>text</p>".repeat(20));
put("plain.js", script(120_000), { packed: false }); put("plain.css", style(90_000), { packed: false });
page("uncompressed", basics, `<script src=/plain.js></script><link rel=stylesheet href=/plain.css>`, { packed: false });
put("kept1.js", script(30_000), { kept: false }); put("kept2.png", png(64, 64), { headers: { "cache-control": "max-age=600" } });
page("uncached", basics, `<script src=/kept1.js async></script><img src=/kept2.png width=64 height=64 alt="">`);
put("blank.js", script(90_000, " ")); put("blank.css", style(90_000, " "));
page("unminified", basics + "<link rel=stylesheet href=/blank.css>", `<script src=/blank.js async></script>`);
put("hero.png", png(1000, 500)); put("wide.png", png(900, 900)); put("open.png", png(300, 200)); put("move.gif", gif(300, 3));
page("images", basics, `<img src=/hero.png width=1000 height=500 loading=lazy alt=""><img src=/wide.png width=200 height=200 alt=""><img src=/open.png alt=""><img src=/move.gif width=300 height=300 alt="">`);
for (let at = 0; at < 9; at++) put(`far${at}.png`, png(150, 150));
page("offscreen", basics, `<img src=/hero.png width=1000 height=500 alt="">` + "<p style='height:900px'>far</p>".repeat(4) + Array.from({ length: 9 }, (_, at) => `<img src=/far${at}.png width=150 height=150 alt="">`).join("<br>"));
for (const at of [1, 2, 3]) put(`block${at}.js`, script(60_000));
put("second.css", style(40_000)); put("first.css", `@import url(/second.css);${style(20_000)}`);
page("blocking", basics + "<link rel=stylesheet href=/first.css>" + [1, 2, 3].map((at) => `<script src=/block${at}.js></script>`).join(""), "");
put("face.woff2", noise(20_000));
page("fonts", basics + "<style>@font-face{font-family:Own;src:url(/face.woff2)}@font-face{font-family:Far;src:url(https://fonts.example:PORT/face.woff2)}h1{font-family:Own}p{font-family:Far}</style>", "");
put("write.js", "document.write('<script src=/small2.js></scr'+'ipt>');"); put("small2.js", script(500));
put("poly.js", "if(!Array.prototype.find){}Array.prototype.find=function(p){for(var i=0;i<this.length;i++)if(p(this[i]))return this[i]};Object.assign=function(a){return a};String.prototype.repeat=function(n){return n>0?this+'':''};" + script(20_000));
page("scripts", basics, "<script src=/write.js></script><script src=/poly.js></script>");
page("elements", basics, "<div><span>a</span></div>".repeat(1_000));
page("slow", basics, "", { wait: 1_200 });
files.set("/moved", { status: 301, wait: 0, body: Buffer.alloc(0), headers: { location: "/moved2" } });
files.set("/moved2", { status: 302, wait: 0, body: Buffer.alloc(0), headers: { location: "/well" } });
for (let at = 0; at < 12; at++) put(`one${at}.js`, script(3_000));
page("many", basics, Array.from({ length: 12 }, (_, at) => `<script async src=/one${at}.js></script>`).join(""));
for (let at = 0; at < 4; at++) put(`heavy${at}.png`, png(700, 700));
page("heavy", basics, Array.from({ length: 4 }, (_, at) => `<img src=/heavy${at}.png width=700 height=700 alt="">`).join(""));
page("forgotten", basics, "", { headers: { "cache-control": "no-store" } });
put("phone", `<!doctype html><html lang=en><head><title>phone</title>${basics}</head><body><p>text</p></body></html>`, { headers: { "cache-control": "no-cache" } });

let port = 0;
const answer = (request, response) => {
  const file = files.get(request.url.split("?")[0]);
  if (!file) { response.writeHead(404, { "content-type": "text/plain" }); response.end("not here"); return; }
  const body = file.headers["content-type"]?.startsWith("text/html") && !file.headers["content-encoding"] ? Buffer.from(file.body.toString().replaceAll("PORT", port)) : file.body;
  setTimeout(() => { response.writeHead(file.status, file.headers); response.end(body); }, file.wait);
};
const tls = { key: readFileSync(`${here}/key.pem`), cert: readFileSync(`${here}/certificate.pem`) };
const listen = (server) => new Promise((done) => server.listen(0, "127.0.0.1", () => done(server.address().port)));
const modern = http2.createSecureServer({ ...tls, allowHTTP1: true }, answer), old = https.createServer(tls, answer);
port = await listen(modern);
const oldPort = await listen(old);
// The page of fonts names the port, so it comes without a coding.
const fonts = files.get("/fonts");
fonts.body = Buffer.from(zlib.brotliDecompressSync(fonts.body).toString().replaceAll("PORT", port));
fonts.body = zlib.brotliCompressSync(fonts.body);

const names = (process.env.PAGES ?? "well uncompressed uncached unminified images offscreen blocking fonts scripts elements slow moved many heavy forgotten phone").split(" ");
const url = (name) => `https://shop.example:${name === "many" ? oldPort : port}/${name}`;
const ours = new Map();
const { stdout } = await run(look, [`${here}/ca.pem`, ...names.map(url)], { maxBuffer: 1e8 });
for (const line of stdout.trim().split("\n")) { const told = JSON.parse(line); ours.set(told.url, told); }

const knowable = { both: 0, missed: [] }, only = new Map();
console.log("page          files       kB   CPU ms   Lighthouse s   audits that failed: + told by ours, - not, . needs a browser");
for (const name of names) {
  const begun = Date.now();
  const flags = `--headless --no-sandbox --ignore-certificate-errors --host-resolver-rules="MAP *.example 127.0.0.1"`;
  const arguments_ = [lighthouse, url(name), "--quiet", "--output=json", "--only-categories=performance", "--preset=desktop", `--chrome-flags=${flags}`];
  const env = { ...process.env, CHROME_PATH: process.env.CHROMIUM ?? "/usr/bin/chromium" };
  let report;
  try { report = JSON.parse((await run("node", arguments_, { maxBuffer: 1e9, env })).stdout); } catch (error) { console.log(`${name}: ${String(error).slice(0, 300)}`); continue; }
  if (process.env.REPORTS) writeFileSync(`${process.env.REPORTS}/${name}.json`, JSON.stringify(report));
  const seconds = (Date.now() - begun) / 1e3, told = ours.get(url(name));
  const rules = new Set(told.rules.map((rule) => rule.replace("page_", "")));
  // Insights list what there is whether it costs anything or not: those count that name a saving, in milliseconds or bytes, or have none to name.
  const saves = ({ id, metricSavings = {}, details = {} }) =>
    !id.endsWith("-insight") || !["render-blocking-insight", "network-dependency-tree-insight"].includes(id) ||
    Object.values(metricSavings).some((ms) => ms > 0) || details.overallSavingsBytes > 0;
  const failed = Object.values(report.audits).filter((audit) => audit.score !== null && audit.score < 0.9 && saves(audit));
  const says = failed.map(({ id }) => {
    const mine = OURS[id];
    if (!mine) { only.set(id, (only.get(id) ?? 0) + 1); return "." + id; }
    if (mine.some((rule) => rules.has(rule))) { knowable.both += 1; return "+" + id; }
    knowable.missed.push(`${name}: ${id}`);
    return "-" + id;
  });
  console.log(`${name.padEnd(13)}${String(told.files).padStart(6)}${(told.bytes / 1e3).toFixed(0).padStart(9)}${told.cpu_ms.toFixed(1).padStart(9)}${seconds.toFixed(1).padStart(15)}   ${says.join(" ")}`);
  if (process.env.VERBOSE) console.log(`              ours: ${[...rules].join(" ")}`);
}
const cpu = [...ours.values()].map((told) => told.cpu_ms).sort((a, b) => a - b);
console.log(`\nknowable: ${knowable.both} reported by both, ${knowable.missed.length} by Lighthouse alone${knowable.missed.map((one) => `\n  ${one}`).join("")}`);
console.log(`need a browser that runs the page: ${[...only].map(([id, count]) => `${id} (${count})`).join(", ")}`);
console.log(`own CPU a page: median ${cpu[cpu.length >> 1].toFixed(1)} ms, most ${cpu.at(-1).toFixed(1)} ms; aim: below 100`);
modern.close(); old.close();
process.exit(knowable.missed.length ? 1 : 0);
