/** Who is asking: the token of this tab, and what it says of itself. */

const TOKEN = "airside.token";
const RECENT = "airside.recent";
const THEME = "airside.theme";
const RECENT_MAX = 8;
export const TOKEN_CHARACTERS_MAX = 16_384;

/** The token of this tab, or "". It lives as long as the tab and never leaves in an address. */
export function token() {
  return sessionStorage.getItem(TOKEN) ?? "";
}

/** Use this token from now on; "" forgets it. */
export function useToken(text) {
  if (text) sessionStorage.setItem(TOKEN, text);
  else sessionStorage.removeItem(TOKEN);
}

/**
 * What is wrong with a text as a token, in words, or "". Whether it is good is for the service
 * to say; this only catches what was copied badly.
 */
export function whatIsWrong(text) {
  if (text.length > TOKEN_CHARACTERS_MAX) return "That is too long for a token.";
  if (/\s/.test(text)) return "There is a space or a line break in it: copy the token alone.";
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(text)) {
    return "A token has three parts with a dot between them; this text does not.";
  }
  return claims(text) ? "" : "The middle part of a token is JSON in base64url; here it is not.";
}

/** What a token says (subject, scopes, expiry in ms), unverified; null if it cannot be read. */
export function claims(text) {
  try {
    const middle = text.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(middle), (one) => one.charCodeAt(0));
    const said = JSON.parse(new TextDecoder().decode(bytes));
    const scopes = said.scope ?? said.scopes ?? "";
    return {
      subject: String(said.sub ?? "nobody"),
      scopes: Array.isArray(scopes) ? scopes.join(" ") : String(scopes),
      expiresAt: typeof said.exp === "number" ? said.exp * 1_000 : null,
    };
  } catch {
    return null;
  }
}

/** The accounts that this tab opened last, the latest first. */
export function recent() {
  try {
    return JSON.parse(sessionStorage.getItem(RECENT) ?? "[]");
  } catch {
    return [];
  }
}

/** Remember that an account was opened. */
export function opened(accountId) {
  const others = recent().filter((one) => one !== accountId);
  const kept = [accountId, ...others].slice(0, RECENT_MAX);
  sessionStorage.setItem(RECENT, JSON.stringify(kept));
}

/** "system", "light" or "dark". */
export function theme() {
  return document.documentElement.dataset.theme ?? "system";
}

/** Draw in this theme now and from now on; theme.js reads it at the next start. */
export function useTheme(chosen) {
  const root = document.documentElement;
  if (chosen === "system") {
    delete root.dataset.theme;
    localStorage.removeItem(THEME);
  } else {
    root.dataset.theme = chosen;
    localStorage.setItem(THEME, chosen);
  }
}
