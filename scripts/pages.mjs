// Shows the pages of pages.jsonl to a browser and says what is wrong with them. Called by scripts/pages.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";

const require = createRequire(new URL("../.tools/pages/package.json", import.meta.url));
const { launch } = require("puppeteer-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const [folder, ...only] = process.argv.slice(2);
const TOUCH_PX_MIN = 44;
const VIEWS = [["phone", 390, 844], ["desk", 1280, 900]];
const THEMES = ["light", "dark"];
const WIDGET_POLICY = "default-src 'none'; style-src 'unsafe-inline'";
const HEADERS = {
  "cache-control": /^no-store$/,
  "content-security-policy": /^default-src 'none'; style-src 'sha256-[\w+/=]+'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
  "content-type": /^text\/html; charset=utf-8$/,
  "referrer-policy": /^no-referrer$/,
  "x-content-type-options": /^nosniff$/,
};

// What CloudWatch says that it puts around a widget: its colours, and the looks of tables, inputs and `btn`. Nobody has
// published its style sheet, so this is a likeness, good for contrast and layout only.
const dashboard = (widget, theme) => {
  const [ink, page, line, link] = theme === "dark"
    ? ["#d1d5db", "#161d26", "#414d5c", "#539fe5"] : ["#16191f", "#ffffff", "#d5dbdb", "#0073bb"];
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Dashboard</title><style>body{margin:0;padding:16px;font:14px/1.45 Arial,sans-serif;color:${ink};background:${page}}
table{border-collapse:collapse}td,th{border-bottom:1px solid ${line}}
input{font:inherit;color:inherit;background:${page};border:1px solid ${ink};padding:4px 8px}
.btn{border:1px solid ${link};border-radius:2px;padding:4px 20px;font-weight:bold;color:${link};text-decoration:none}
.btn-primary{background:#ec7211;border-color:#ec7211;color:#16191f}cwdb-action{display:none}</style>
<main class="${theme === "dark" ? "cwdb-theme-dark" : ""}"><h1>Open approvals and recent runs</h1>${widget}</main></html>`;
};

const replies = readFileSync(`${folder}/pages.jsonl`, "utf8").trim().split("\n").map((line) => JSON.parse(line))
  .filter(({ name }) => only.length === 0 || only.some((prefix) => name.startsWith(prefix)));
for (const file of readdirSync(folder)) if (file.endsWith(".png")) rmSync(`${folder}/${file}`);

let served;
const posted = [];
const server = createServer((request, response) => {
  if (request.method === "POST") {
    let body = "";
    request.on("data", (part) => (body += part)).on("end", () => {
      posted.push(body);
      response.writeHead(204).end();
    });
    return;
  }
  response.writeHead(200, served.headers).end(served.body);
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const address = `http://127.0.0.1:${server.address().port}/?sign=1`;

const problems = [];
const found = (where, what) => problems.push(`${where}: ${what}`);

// Runs in the page. The window's own innerWidth is no measure: a phone zooms out until what is too wide fits.
const look = (touchPxMin, windowPx) => {
  const called = (element) => `<${element.localName}> "${element.textContent.trim().slice(0, 40)}"`;
  const seen = (element) => element.getClientRects().length > 0;
  const all = [...document.querySelectorAll("*")];
  const wrong = [];
  const width = document.documentElement.scrollWidth;
  if (width > windowPx) wrong.push(`is ${width} px wide in a window of ${windowPx} px`);
  for (const element of all.filter(seen)) {
    const box = element.getBoundingClientRect();
    if (box.right > windowPx + 0.5 || box.left < -0.5) wrong.push(`${called(element)} sticks out`);
  }
  // What is pressed to tick a box is its label.
  const touched = all.filter((element) => seen(element) && element.matches("a, button, input, textarea, select"));
  for (const element of touched) {
    const target = element.matches("[type=checkbox]") ? element.closest("label") : element;
    const { width, height } = target.getBoundingClientRect();
    if (Math.min(width, height) < touchPxMin) wrong.push(`${called(target)} is ${width} x ${height} px, hard to touch`);
  }
  for (const element of all) {
    if (element.matches("script, iframe, object, embed, link, img, base, use")) wrong.push(`there is a ${called(element)}`);
    const active = [...element.attributes].filter(({ name, value }) => /^on/i.test(name) || /^\s*javascript:/i.test(value));
    if (active.length > 0 && !element.matches("input, textarea")) wrong.push(`${called(element)} has ${active[0].name}`);
  }
  // A button of the dashboard is an element with its action right after it: an endpoint, and JSON.
  for (const action of document.querySelectorAll("cwdb-action")) {
    const button = action.previousElementSibling;
    if (!button?.matches("a.btn")) wrong.push("a cwdb-action stands behind no button");
    if (!/^arn:aws:lambda:/.test(action.getAttribute("endpoint"))) wrong.push("a cwdb-action has no endpoint");
    try {
      JSON.parse(action.textContent);
    } catch {
      wrong.push("a cwdb-action holds no JSON");
    }
  }
  const hidden = /[\u0000-\u0008\u000b-\u001f\u007f\u202a-\u202e\u2066-\u2069]/;
  if (hidden.test(document.body.innerText)) wrong.push("shows characters that turn or hide text");
  return wrong;
};

// The form without scripts of its own: Enter in a field sends nothing, the buttons send what is ticked. The browser says
// at once whether a key or a press would send the form, so nothing is waited for.
const press = async (page, where) => {
  await page.evaluate(() => {
    window.sent = [];
    window.hold = true;
    document.querySelector("form").addEventListener("submit", (event) => {
      window.sent.push(new URLSearchParams(new FormData(event.target, event.submitter)).toString());
      if (window.hold) event.preventDefault();
    });
  });
  const sent = async (act) => {
    await act();
    return page.evaluate(() => window.sent.splice(0).map(String));
  };
  const ticked = await page.$$eval("[name=change]:checked", (boxes) => boxes.map((box) => box.value));
  const nameless = await sent(() => page.click("button[value=approve]"));
  if (nameless.length > 0) found(where, `sends ${nameless} without a name`);
  await page.type("[name=by]", "Ada");
  const byEnter = await sent(() => page.keyboard.press("Enter"));
  if (byEnter.length > 0) found(where, `Enter in the name sends ${byEnter}`);
  for (const decision of ["approve", "deny"]) {
    const wanted = new URLSearchParams([...ticked.map((id) => ["change", id]), ["by", "Ada"], ["remark", ""], ["decision", decision]]);
    const forms = await sent(() => page.click(`button[value=${decision}]`));
    if (forms.join() !== wanted.toString()) found(where, `the button ${decision} sends ${forms}, not ${wanted}`);
  }
  // And the policy lets it through.
  await page.evaluate(() => (window.hold = false));
  const answer = page.waitForResponse((response) => response.request().method() === "POST");
  await page.click("button[value=deny]");
  await answer;
  if (!/decision=deny/.test(posted.at(-1))) found(where, `the page sent ${posted.at(-1)}`);
};

const browser = await launch({
  executablePath: execFileSync("which", [process.env.CHROMIUM || "chromium"], { encoding: "utf8" }).trim(),
  // A container has no user namespaces for the sandbox; what is shown here comes from this checkout.
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb"],
});
let shown = 0;
try {
  const page = await browser.newPage();
  let where = "";
  page.on("request", (request) => {
    if (request.url() !== address) found(where, `asks for ${request.url()}`);
  });
  page.on("console", (message) => found(where, `console: ${message.text()}`));
  page.on("dialog", (dialog) => {
    found(where, "a script runs");
    return dialog.dismiss();
  });
  for (const reply of replies) {
    for (const [name, pattern] of reply.widget === undefined ? Object.entries(HEADERS) : []) {
      if (!pattern.test(reply.headers[name])) found(reply.name, `header ${name} is ${reply.headers[name]}`);
    }
    for (const [view, width, height] of VIEWS) {
      for (const theme of THEMES) {
        where = `${reply.name} ${view} ${theme}`;
        served = reply.widget === undefined ? reply : {
          headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": WIDGET_POLICY },
          body: dashboard(reply.widget, theme),
        };
        await page.setViewport({ width, height, deviceScaleFactor: 1, isMobile: view === "phone", hasTouch: view === "phone" });
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
        await page.goto(address, { waitUntil: "load" });
        for (const wrong of await page.evaluate(look, TOUCH_PX_MIN, width)) found(where, wrong);
        await page.evaluate(axe);
        const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
        const { violations } = await page.evaluate((tags) => axe.run({ runOnly: tags, preload: false }), tags);
        for (const { id, help, nodes } of violations) found(where, `axe ${id}: ${help}: ${nodes.map((node) => node.html).slice(0, 3).join(" ")}`);
        await page.screenshot({ path: `${folder}/${reply.name}-${view}-${theme}.png`, fullPage: true });
        shown += 1;
      }
    }
    if (/^question(-several)?$/.test(reply.name)) await press(page, `${reply.name} pressed`);
  }
} finally {
  await browser.close();
  server.close();
}
for (const problem of new Set(problems)) console.error(problem);
console.log(`pages: ${replies.length} states, ${shown} views in ${folder}, ${problems.length} problems`);
process.exit(problems.length > 0 || shown === 0 ? 1 : 0);
