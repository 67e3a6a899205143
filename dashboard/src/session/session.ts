/**
 * Who is signed in. AppWrite knows the person (its own session is in a cookie or its own storage); from it comes a JWT,
 * and from that our console token, which is good for fifteen minutes and lives in memory alone.
 */

import type { Account, OAuthProvider } from "appwrite";

import { ApiProblem, problemOf, unreachable } from "@/api/problem";
import type { Config } from "@/config";

export interface Person {
  id: string;
  email: string;
  name: string;
}

interface Held {
  token: string;
  expiresAt: number;
  person: Person;
}

/** A token is renewed this long before it ends, so that no request meets its last second. */
const RENEW_BEFORE_MS = 60_000;

/** `problem`: AppWrite knows the person, and Nofy does not let them in (yet). */
export type SessionState =
  | { kind: "restoring" }
  | { kind: "out"; expired: boolean; problem?: ApiProblem }
  | { kind: "in"; person: Person };

/** Under which what stood behind the # is kept while somebody is away at a provider. */
const FRAGMENT = "nofy.fragment";

export class Session {
  private state: SessionState = { kind: "restoring" };
  private held: Held | undefined;
  private renewing: Promise<Held> | undefined;
  private listeners = new Set<() => void>();
  private accountLoaded: Promise<Account> | undefined;

  constructor(private readonly config: Config) {}

  current = (): SessionState => this.state;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Find out whether AppWrite still knows this browser: quietly, since being signed out is no error. */
  async restore(): Promise<void> {
    try {
      await this.renew();
    } catch (error) {
      this.become({ kind: "out", expired: false, ...(error instanceof ApiProblem && { problem: error }) });
    }
  }

  /** Throws AppwriteException for a wrong password, ApiProblem for a person that Nofy does not let in. */
  async signIn(email: string, password: string): Promise<void> {
    const account = await this.account();
    await account.deleteSession({ sessionId: "current" }).catch(() => undefined);
    await account.createEmailPasswordSession({ email, password });
    await this.renew();
  }

  async signUp(email: string, password: string, name: string): Promise<void> {
    const [account, { ID }] = await Promise.all([this.account(), import("appwrite")]);
    await account.create({ userId: ID.unique(), email, password, name });
    await this.signIn(email, password);
  }

  /** Leaves the page for the provider's, and comes back signed in. What stands behind a # never leaves this browser. */
  async signInWith(provider: string, to: string, fragment: string): Promise<void> {
    const account = await this.account();
    if (fragment) window.sessionStorage.setItem(FRAGMENT, fragment);
    const back = `${window.location.origin}/sign-in?to=${encodeURIComponent(to)}`;
    const failure = `${back}&failed=${encodeURIComponent(provider)}`;
    // (the installation's own word: AppWrite may know providers that its SDK does not name)
    const named: unknown = provider;
    account.createOAuth2Session({ provider: named as OAuthProvider, success: back, failure });
  }

  /** The fragment that was kept while somebody was away at a provider, once. */
  keptFragment(): string {
    const kept = window.sessionStorage.getItem(FRAGMENT) ?? "";
    window.sessionStorage.removeItem(FRAGMENT);
    return kept;
  }

  /** AppWrite writes to the person's address; the link in it leads to `/sign-in?userId=…&secret=…`. */
  async askToVerify(): Promise<void> {
    await (await this.account()).createEmailVerification({ url: `${window.location.origin}/sign-in` });
  }

  async verify(userId: string, secret: string): Promise<void> {
    await (await this.account()).updateEmailVerification({ userId, secret });
    await this.restore();
  }

  async signOut(): Promise<void> {
    const account = await this.account();
    await account.deleteSession({ sessionId: "current" }).catch(() => undefined);
    this.held = undefined;
    this.become({ kind: "out", expired: false });
  }

  /** A console token that is good for another minute, renewed where need be. */
  async token(): Promise<string> {
    if (this.held && this.held.expiresAt - Date.now() > RENEW_BEFORE_MS) return this.held.token;
    return (await this.renew()).token;
  }

  /** The API refused the token: the next request asks for another, and where there is none one is signed out. */
  expired(): void {
    this.held = undefined;
  }

  private renew(): Promise<Held> {
    this.renewing ??= this.exchange().finally(() => (this.renewing = undefined));
    return this.renewing;
  }

  private async exchange(): Promise<Held> {
    let jwt: string;
    try {
      jwt = await freshJwt(this.config);
    } catch (error) {
      if (this.state.kind === "in") this.become({ kind: "out", expired: true });
      throw error;
    }
    this.held = await consoleToken(jwt);
    this.become({ kind: "in", person: this.held.person });
    return this.held;
  }

  private account(): Promise<Account> {
    // Loaded when first needed: the page is drawn before.
    this.accountLoaded ??= import("appwrite").then(({ Account, Client }) => {
      const { endpoint, project } = this.config.appwrite;
      return new Account(new Client().setEndpoint(endpoint).setProject(project));
    });
    return this.accountLoaded;
  }

  private become(state: SessionState): void {
    this.state = state;
    for (const each of this.listeners) each();
  }
}

/**
 * What `account.createJWT()` does, without AppWrite's SDK: whoever opens a page signed in, or only looks at the form,
 * does not wait for 34 KB. The SDK keeps its session in a cookie, or where browsers refuse that in `cookieFallback`.
 */
async function freshJwt({ appwrite }: Config): Promise<string> {
  const kept = window.localStorage.getItem("cookieFallback");
  const answer = await fetch(`${appwrite.endpoint}/account/jwts`, {
    method: "POST",
    credentials: "include",
    headers: {
      "Content-Type": "application/json",
      "X-Appwrite-Project": appwrite.project,
      ...(kept && { "X-Fallback-Cookies": kept }),
    },
    body: "{}",
  });
  const document = (await answer.json().catch(() => ({}))) as { jwt?: string; type?: string; message?: string };
  if (document.jwt) return document.jwt;
  throw Object.assign(new Error(document.message ?? `AppWrite answered ${answer.status}`), { type: document.type ?? "" });
}

async function consoleToken(jwt: string): Promise<Held> {
  const asked = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ jwt }) };
  const answer = await fetch("/v1/session", asked).catch(() => {
    throw unreachable();
  });
  if (!answer.ok) throw await problemOf(answer);
  const document = (await answer.json()) as { token: string; expires_at: string; user: Person };
  return { token: document.token, expiresAt: Date.parse(document.expires_at), person: document.user };
}
