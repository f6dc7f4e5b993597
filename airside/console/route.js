/** Deep links: `#/accounts/a1/timeline?refusals=1`. Ids and filters, never a token. */

export const SECTIONS = ["timeline", "devices", "licenses", "downloads", "check"];

/** Where an address leads to. What is not known leads to the first page. */
export function parse(hash) {
  const [path, search = ""] = hash.replace(/^#/, "").split("?", 2);
  const parts = path.split("/").filter(Boolean).map(decoded);
  const query = Object.fromEntries(new URLSearchParams(search));
  if (parts[0] === "pipeline") return { page: "pipeline", query };
  if (parts[0] === "accounts" && parts[1]) {
    const section = SECTIONS.includes(parts[2]) ? parts[2] : SECTIONS[0];
    return { page: "account", accountId: parts[1], section, query };
  }
  return { page: "home", query };
}

/** The address of an account's section. */
export function toAccount(accountId, section = SECTIONS[0], query = {}) {
  const kept = Object.entries(query).filter(([, value]) => value);
  const search = kept.length ? `?${new URLSearchParams(kept)}` : "";
  return `#/accounts/${encodeURIComponent(accountId)}/${section}${search}`;
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
