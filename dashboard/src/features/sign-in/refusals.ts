/** Why somebody is not let in, in words that say what to do about it. */

import { ApiProblem } from "@/api/problem";

export interface Refusal {
  title: string;
  next: string;
  /** The address waits to be confirmed: the page offers to write to it again. */
  unverified?: true;
}

const NO_SERVER: Refusal = {
  title: "The sign-in server cannot be reached",
  next: "Check your connection and try again. If it stays, tell whoever runs Nofy.",
};

/** By AppWrite's `type` or our own `code`. */
const REFUSALS: Partial<Record<string, Refusal>> = {
  user_invalid_credentials: {
    title: "The e-mail address or the password is wrong",
    next: "Check both. If you have no account here yet, create one below.",
  },
  user_blocked: { title: "This account is blocked", next: "Whoever runs Nofy can unblock it." },
  email_unverified: {
    title: "Your e-mail address is not confirmed yet",
    next: "Open the link in the message we sent you, then sign in.",
    unverified: true,
  },
  user_already_exists: { title: "There is an account with this address already", next: "Sign in with it instead." },
  password_reset_required: { title: "This account needs a new password first", next: "Whoever runs Nofy can set one." },
  user_password_reset_required: { title: "This account needs a new password first", next: "Whoever runs Nofy can set one." },
  general_rate_limit_exceeded: { title: "Too many attempts", next: "Wait a minute, then try again." },
  rate_limited: { title: "Too many attempts", next: "Wait a minute, then try again." },
  signed_out: { title: "This sign-in was signed out", next: "Sign in again." },
  sign_in_invalid: { title: "The sign-in is no longer valid", next: "Sign in again." },
  user_invalid_token: { title: "This confirmation link is used or too old", next: "Sign in to have another one sent." },
  unreachable: { ...NO_SERVER, title: "Nofy cannot be reached" },
  identity_unavailable: { ...NO_SERVER, title: "Nobody can be signed in just now" },
};

export function refusalOf(error: unknown): Refusal {
  const named = REFUSALS[nameOf(error)];
  if (named) return named;
  if (error instanceof ApiProblem) return { title: error.message, next: error.detail ?? "Try again in a moment." };
  const { type, message } = error as { type?: string; message?: string };
  return type && message ? { title: message, next: "Mend it and try again." } : NO_SERVER;
}

function nameOf(error: unknown): string {
  if (error instanceof ApiProblem) return error.code;
  const { type } = error as { type?: unknown };
  return typeof type === "string" ? type : "";
}
