import { Center, Loader } from "@mantine/core";
import { Outlet, useRouter } from "@tanstack/react-router";
import { useEffect } from "react";

import { useSessionState } from "@/session/context";

/** What is inside is for people who are signed in; the others come back to it when they are. */
export function SignedIn() {
  const state = useSessionState();
  if (state.kind === "in") return <Outlet />;
  return (
    <Center h="100vh">
      <Loader aria-label="Signing you in" />
      {state.kind === "out" && <ToSignIn />}
    </Center>
  );
}

/**
 * Goes there once, from where one was when it was first drawn: the address changes while the page is still loading. An
 * invitation's token stands behind the #, and stays there: in the query, a server would read it.
 */
function ToSignIn() {
  const router = useRouter();
  useEffect(() => {
    const { pathname, searchStr, hash } = router.state.location;
    if (pathname === "/sign-in") return;
    void router.navigate({ to: "/sign-in", search: { to: pathname + searchStr }, hash, replace: true });
  }, [router]);
  return null;
}
