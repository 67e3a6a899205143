import { screen, waitFor } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";

import { ApiProblem } from "@/api/problem";

import { PERSON, renderAt } from "./harness";

const OUT = { kind: "out", expired: false } as const;

/** As AppWrite's SDK throws them. */
const refused = (type: string) => Object.assign(new Error(`AppWrite says ${type}`), { name: "AppwriteException", type });
const problemOf = (status: number, code: string) => new ApiProblem(status, code, `It is ${code}`, undefined, [], undefined, undefined);

async function signInWith(error: Error) {
  const page = renderAt("/sign-in", { state: OUT, session: { signIn: () => Promise.reject(error) } });
  await page.user.type(await screen.findByLabelText("E-mail address"), "ada@example.com");
  await page.user.type(screen.getByLabelText("Password"), "a password");
  await page.user.click(screen.getByRole("button", { name: "Sign in" }));
  return page;
}

describe("the sign-in page", () => {
  it.each([
    [refused("user_invalid_credentials"), "The e-mail address or the password is wrong"],
    [refused("user_blocked"), "This account is blocked"],
    [problemOf(403, "user_blocked"), "This account is blocked"],
    [problemOf(403, "email_unverified"), "Your e-mail address is not confirmed yet"],
    [refused("general_rate_limit_exceeded"), "Too many attempts"],
    [new TypeError("Failed to fetch"), "The sign-in server cannot be reached"],
    [problemOf(0, "unreachable"), "Nofy cannot be reached"],
    [problemOf(503, "identity_unavailable"), "Nobody can be signed in just now"],
  ])("tells %o apart", async (error, title) => {
    await signInWith(error);
    expect(await screen.findByRole("alert")).toHaveTextContent(title);
  });

  it("offers to write again to an address that is not confirmed", async () => {
    const askToVerify = vi.fn(() => Promise.resolve());
    const { user } = renderAt("/sign-in", { state: { ...OUT, problem: problemOf(403, "email_unverified") }, session: { askToVerify } });
    await user.click(await screen.findByRole("button", { name: "Send the message again" }));
    expect(await screen.findByText("Sent. Open the link in the message, then sign in.")).toBeVisible();
    expect(askToVerify).toHaveBeenCalledOnce();
  });

  it("says what an address and a password look like before it asks anybody", async () => {
    const signIn = vi.fn(() => Promise.resolve());
    const { user } = renderAt("/sign-in", { state: OUT, session: { signIn } });
    await user.type(await screen.findByLabelText("E-mail address"), "ada");
    await user.click(screen.getByRole("button", { name: "Sign in" }));
    expect(screen.getByText("An e-mail address, like ada@example.com")).toBeVisible();
    expect(screen.getByText("Your password")).toBeVisible();
    expect(signIn).not.toHaveBeenCalled();
  });

  it("makes an account", async () => {
    const signUp = vi.fn(() => Promise.resolve());
    const { user } = renderAt("/sign-in", { state: OUT, session: { signUp } });
    await user.click(await screen.findByRole("button", { name: "Create an account" }));
    await user.type(screen.getByLabelText("Name"), "Grace");
    await user.type(screen.getByLabelText("E-mail address"), "grace@example.com");
    await user.type(screen.getByLabelText("Password"), "long enough");
    await user.click(screen.getByRole("button", { name: "Create account" }));
    await waitFor(() => expect(signUp).toHaveBeenCalledWith("grace@example.com", "long enough", "Grace"));
  });

  it("has a button for every provider of the installation, and keeps the fragment in this browser", async () => {
    const signInWith = vi.fn(() => Promise.resolve());
    const { user } = renderAt("/sign-in?to=%2Finvitations#nfi_secret", { state: OUT, oauth: ["github"], session: { signInWith } });
    await user.click(await screen.findByRole("button", { name: "Continue with GitHub" }));
    await waitFor(() => expect(signInWith).toHaveBeenCalledWith("github", "/invitations", "nfi_secret"));
  });

  it("goes on to where somebody wanted to be, with what stood behind the #", async () => {
    const { at, become } = renderAt("/invitations#nfi_secret", { state: OUT });
    await screen.findByLabelText("E-mail address");
    expect(at()).toBe("/sign-in?to=%2Finvitations#nfi_secret");
    become({ kind: "in", person: PERSON });
    await waitFor(() => expect(at()).toBe("/invitations#nfi_secret"));
  });

  it("leads nowhere outside of the dashboard", async () => {
    const { at } = renderAt("/sign-in?to=%2F%2Felsewhere.example", { answers: { "GET /v1/projects": { projects: [] } } });
    await waitFor(() => expect(at()).toBe("/"));
  });

  it("says that a session has ended, and that a provider refused", async () => {
    renderAt("/sign-in", { state: { kind: "out", expired: true } });
    expect(await screen.findByRole("status")).toHaveTextContent("signed out after a while");
    renderAt("/sign-in?failed=github", { state: OUT });
    expect(await screen.findByRole("alert")).toHaveTextContent("GitHub did not sign you in");
  });
});
