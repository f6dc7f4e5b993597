/** Questions to the service, and what can go wrong with them, in words. */

import { claims, token } from "./session.js";
import { capital } from "./words.js";

const ROOT = new URL("../v1/", document.baseURI);
const TIMEOUT_MS = 20_000;
const RETRY_SECONDS = 5; // where the service does not say

/** An answer that did not come: `title` and `detail` are for people. */
export class Failure extends Error {
  constructor(status, title, detail, { retrySeconds = null, code = "" } = {}) {
    super(`${title} ${detail}`);
    this.status = status; // of HTTP; 0: there was no answer
    this.title = title;
    this.detail = detail;
    this.code = code;
    this.retrySeconds = retrySeconds; // when to ask again by itself; null: not without a person
  }
}

/** The address of a resource: `address("accounts", "a1", "devices")`. */
export function address(path, query = {}) {
  const url = new URL(path.map(encodeURIComponent).join("/"), ROOT);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "")
      url.searchParams.set(name, value);
  }
  return url;
}

/** What every request says of who asks. */
export function headers(more = {}) {
  const text = token();
  return text ? { ...more, Authorization: `Bearer ${text}` } : more;
}

/** The JSON answer. Throws a Failure; an AbortError where `signal` says that nobody waits. */
export async function ask(path, { query = {}, signal } = {}) {
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  const both = signal ? AbortSignal.any([signal, limit]) : limit;
  try {
    const answer = await fetch(address(path, query), {
      headers: headers({ Accept: "application/json" }),
      cache: "no-store",
      credentials: "omit",
      signal: both,
    });
    if (!answer.ok) throw await refused(answer);
    return await answer.json();
  } catch (error) {
    if (error instanceof Failure || signal?.aborted) throw error;
    throw unreachable(limit.aborted);
  }
}

function unreachable(isLate) {
  const detail = isLate
    ? `It did not answer within ${TIMEOUT_MS / 1_000} seconds.`
    : "It may be restarting, or this machine is offline.";
  const options = { retrySeconds: RETRY_SECONDS };
  return new Failure(0, "The service cannot be reached.", detail, options);
}

/** What an answer that is an error means. */
export async function refused(answer) {
  const problem = await answer.json().catch(() => ({}));
  const detail = [problem.detail, problem.title, answer.statusText].find(Boolean) ?? "";
  const waits = Number(answer.headers.get("Retry-After")) || RETRY_SECONDS;
  const code = String(problem.code ?? "");
  switch (answer.status) {
    case 401:
      return token()
        ? new Failure(401, "The token was not accepted.", detail)
        : new Failure(401, "A token is needed.", "Whoever runs this service gives you one.");
    case 403:
      return new Failure(403, "This is not for your token.", `${detail} ${ours()}`);
    case 404:
      return new Failure(404, "Not found.", capital(detail));
    case 429:
      return new Failure(429, "Too many questions at once.", detail, { retrySeconds: waits });
    case 502:
    case 503:
    case 504:
      return new Failure(answer.status, "The service cannot answer just now.", detail, {
        retrySeconds: waits,
        code,
      });
    default:
      return new Failure(answer.status, `The service answered ${answer.status}.`, detail, {
        code,
      });
  }
}

function ours() {
  const said = claims(token());
  if (!said) return "";
  return `It is that of ${said.subject}, with the scope ${said.scopes || "(none)"}.`;
}
