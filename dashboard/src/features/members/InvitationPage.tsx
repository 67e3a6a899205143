import { Anchor, Button, Center, Paper, Stack, Text, Title } from "@mantine/core";
import { Link, useLocation, useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";

import { ApiProblem } from "@/api/problem";
import { Problem } from "@/components/States";
import { useAccept } from "@/features/members/queries";
import { useSession, useSessionState } from "@/session/context";

/** Where an invitation's link leads. Its token stands behind the #, which no browser sends to any server. */
export function InvitationPage() {
  const token = useLocation({ select: ({ hash }) => hash.replace(/^#/, "") });
  useEffect(() => {
    document.title = "Invitation · Nofy";
  }, []);
  return (
    <Center component="main" mih="100vh" p="md">
      <Paper withBorder p="xl" w="100%" maw={440}>
        <Stack>
          <img src="/icon.svg" alt="" width={36} height={36} />
          {token ? <Accept token={token} /> : <Nothing />}
        </Stack>
      </Paper>
    </Center>
  );
}

function Accept({ token }: { token: string }) {
  const session = useSession();
  const state = useSessionState();
  const navigate = useNavigate();
  const accepting = useAccept((joined) => void navigate({ to: "/p/$projectId", params: { projectId: joined.id }, replace: true }));
  if (state.kind !== "in") return null;
  return (
    <>
      <Title order={1} size="h3">You are invited to a project</Title>
      <Text>You join as {state.person.name ? `${state.person.name} (${state.person.email})` : state.person.email}.</Text>
      {accepting.isError && <Refusal error={accepting.error} />}
      <Button loading={accepting.isPending} onClick={() => accepting.mutate(token)}>Join the project</Button>
      <Text size="sm">Not you? <Anchor component="button" type="button" inherit onClick={() => void session.signOut()}>Sign in as somebody else</Anchor></Text>
    </>
  );
}

function Refusal({ error }: { error: Error }) {
  const code = error instanceof ApiProblem ? error.code : undefined;
  if (code === "not_found" || code === "invalid_request") return <Closed />;
  if (code === "invitation_for_another_person") {
    return <Text c="red" role="alert">This invitation is for another e-mail address, or yours is not confirmed yet. Sign in with the address it was sent to.</Text>;
  }
  return <Problem error={error} />;
}

function Closed() {
  return <Text c="red" role="alert">This invitation is not open any more: it was used, closed or is older than seven days. Ask whoever sent it for another.</Text>;
}

function Nothing() {
  return (
    <>
      <Title order={1} size="h3">This link is not whole</Title>
      <Text>What stands behind the # is missing. Copy the whole link from the message, or ask for another invitation.</Text>
      <Anchor renderRoot={(props) => <Link to="/" {...props} />}>Your projects</Anchor>
    </>
  );
}
