/** Where the token is entered. It goes to this tab's storage and nowhere else. */

import { say } from "./say.js";
import { claims, token, useToken, whatIsWrong } from "./session.js";
import { local } from "./words.js";

const by = (name) => document.getElementById(name);

/** The dialog, and the button in the bar that says whose token is used. */
export class TokenDialog {
  /** `onChange` is called when another token, or none, is used. */
  constructor(onChange) {
    this.onChange = onChange;
    this.dialog = by("token-dialog");
    by("token").onclick = () => this.open();
    by("token-cancel").onclick = () => this.dialog.close();
    by("token-forget").onclick = () => this.use("", "The token is forgotten.");
    by("token-form").onsubmit = (event) => this.submitted(event);
    by("token-text").onkeydown = (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault(); // no token has a second line
      by("token-form").requestSubmit();
    };
    this.draw();
  }

  open() {
    by("token-text").value = "";
    by("token-error").textContent = "";
    by("token-now").textContent = about(token());
    by("token-forget").hidden = !token();
    this.dialog.showModal();
    by("token-text").focus();
  }

  submitted(event) {
    event.preventDefault();
    const text = by("token-text")
      .value.trim()
      .replace(/^Bearer\s+/i, "");
    const wrong = text ? whatIsWrong(text) : "Paste a token here.";
    by("token-error").textContent = wrong;
    if (wrong) by("token-text").focus();
    else this.use(text, "The token is used from now on.");
  }

  use(text, words) {
    useToken(text);
    by("token-text").value = "";
    this.dialog.close();
    this.draw();
    say(words);
    this.onChange();
  }

  draw() {
    const said = claims(token());
    by("token-whose").textContent = said ? `Token: ${said.subject}` : "No token";
  }
}

function about(text) {
  const said = claims(text);
  if (!said) return "";
  const until = said.expiresAt ? `, good until ${local(said.expiresAt)}` : "";
  return `Now: ${said.subject}, scope ${said.scopes || "(none)"}${until}.`;
}
