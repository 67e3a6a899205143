import { Center, Loader } from "@mantine/core";
import { Navigate, Outlet, useLocation } from "@tanstack/react-router";

import { useSessionState } from "@/session/context";

/**
 * What is inside is for people who are signed in; the others come back to it when they are. An invitation's token stands
 * behind the #, and stays there: in the query, a server would read it.
 */
export function SignedIn() {
  const state = useSessionState();
  const { pathname, searchStr, hash } = useLocation();
  if (state.kind === "restoring") {
    return (
      <Center h="100vh">
        <Loader aria-label="Signing you in" />
      </Center>
    );
  }
  return state.kind === "in" ? <Outlet /> : <Navigate to="/sign-in" search={{ to: pathname + searchStr }} hash={hash} replace />;
}
