/** The start: one page at a time by the address, and the tools in the bar at the top. */

import { AccountPage } from "./account.js";
import { h, show } from "./dom.js";
import { HomePage, openAccount } from "./home.js";
import { newSamples, PipelinePage } from "./pipeline.js";
import { parse } from "./route.js";
import { say } from "./say.js";
import { theme, useTheme } from "./session.js";
import { TokenDialog } from "./token_dialog.js";
import { zone } from "./words.js";

const NEXT_THEME = { system: "light", light: "dark", dark: "system" };
const PAGES = { home: HomePage, account: AccountPage, pipeline: PipelinePage };

const main = document.getElementById("main");
const samples = newSamples();
const tokens = new TokenDialog(() => open({ anew: true }));
let page = null;
let where = "";

/** Show what the address says; `anew` also where it is shown already. */
function open({ anew = false } = {}) {
  const route = parse(location.hash);
  const wanted = `${route.page} ${route.accountId ?? ""}`;
  const isFirst = page === null;
  if (wanted === where && !anew) page.go(route);
  else {
    page?.close();
    show(main);
    page = new PAGES[route.page](main, route, { enterToken: () => tokens.open() }, samples);
    where = wanted;
    window.scrollTo(0, 0);
    if (!isFirst && !anew) main.querySelector("h1")?.focus();
  }
  document.title = `${page.title} · airside console`;
  if (!isFirst) say(page.title);
  mark(route);
}

function mark(route) {
  for (const link of document.querySelectorAll("#main-nav a")) {
    const isHere = link.dataset.page === (route.page === "account" ? "home" : route.page);
    if (isHere) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const find = document.getElementById("quick-find");
  find.hidden = route.page === "home";
  find.reset();
}

function drawTheme() {
  document.getElementById("theme-text").textContent = `Theme: ${theme()}`;
}

function start() {
  document.getElementById("quick-find").onsubmit = openAccount;
  document.getElementById("theme").onclick = () => {
    useTheme(NEXT_THEME[theme()]);
    drawTheme();
  };
  document.querySelector(".skip").onclick = (event) => {
    event.preventDefault(); // the part of the address behind # is the route
    main.focus();
  };
  show(
    document.getElementById("foot"),
    h("p", {}, `Times are those of ${zone()}; point at one to see it in UTC.`),
  );
  drawTheme();
  window.addEventListener("hashchange", () => open());
  open();
}

start();
