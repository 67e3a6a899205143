import "@mantine/core/styles/Table.css";
import "@mantine/core/styles/ModalBase.css";
import "@mantine/core/styles/Modal.css";

import { Badge, Button, Group, Modal, Stack, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { PlusIcon } from "@radix-ui/react-icons";
import { useState } from "react";

import { body } from "@/api/client";
import { useAct } from "@/app/act";
import { useMay, useProject, useProjectScope } from "@/app/project";
import { Confirm } from "@/components/confirm";
import { GuardedButton } from "@/components/GuardedButton";
import { Page } from "@/components/Page";
import { Empty, Loading, Problem } from "@/components/States";
import { Time } from "@/components/Time";
import { type ApiToken, type Standing, standingOf, useTokens } from "@/components/token/queries";
import { CreateToken } from "@/features/tokens/CreateToken";

export function TokensPage() {
  const tokens = useTokens();
  const may = useMay()("tokens:manage");
  const { isSuccess: known } = useProject();
  const [opened, { open, close }] = useDisclosure();
  const [revoking, setRevoking] = useState<ApiToken>();
  const create = (
    <GuardedButton allowed={may || !known} reason="Developers, admins and owners make tokens." leftSection={<PlusIcon />} onClick={open}>
      New token
    </GuardedButton>
  );
  return (
    <Page title="API tokens" about="What your servers sign their requests with." actions={create}>
      {tokens.isPending && <Loading label="Loading tokens" />}
      {tokens.isError && <Problem error={tokens.error} again={() => void tokens.refetch()} />}
      {tokens.data?.length === 0 && (
        <Empty title="No tokens yet">A server needs one to send. Make a test token first: what it sends reaches nobody.</Empty>
      )}
      {tokens.data && tokens.data.length > 0 && <Tokens tokens={tokens.data} {...(may && { onRevoke: setRevoking })} />}
      <Modal opened={opened} onClose={close} title="New API token" closeOnClickOutside={false}><CreateToken onDone={close} /></Modal>
      {revoking && <Revoke token={revoking} onClose={() => setRevoking(undefined)} />}
    </Page>
  );
}

function Tokens({ tokens, onRevoke }: { tokens: ApiToken[]; onRevoke?: (token: ApiToken) => void }) {
  const [now] = useState(Date.now);
  return (
    <Table verticalSpacing="sm">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Token</Table.Th>
          <Table.Th visibleFrom="sm">Mode</Table.Th>
          <Table.Th visibleFrom="sm">May</Table.Th>
          <Table.Th visibleFrom="md">Made</Table.Th>
          <Table.Th visibleFrom="sm">Last used</Table.Th>
          <Table.Th visibleFrom="sm">Ends</Table.Th>
          <Table.Th><span className="for-readers">Actions</span></Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {tokens.map((each) => <Row key={each.id} token={each} standing={standingOf(each, now)} {...(onRevoke && { onRevoke })} />)}
      </Table.Tbody>
    </Table>
  );
}

function Row({ token, standing, onRevoke }: { token: ApiToken; standing: Standing; onRevoke?: (token: ApiToken) => void }) {
  const active = standing === "active";
  const used = token.last_used_at ? <Time at={token.last_used_at} /> : <Text size="sm" c="dimmed">never</Text>;
  return (
    <Table.Tr {...(!active && { c: "dimmed" })}>
      <Table.Td>
        <Stack gap={2}>
          <Text size="sm" fw={600} className="address">{token.name}</Text>
          <Text size="xs" c="dimmed" ff="monospace" className="address">{token.hint}</Text>
          <Group gap={6} hiddenFrom="sm"><ModeBadge mode={token.mode} /><Scopes token={token} /></Group>
          <Group gap={4} hiddenFrom="sm" fz="xs"><Text size="xs" c="dimmed">Last used</Text>{used}</Group>
          {!active && <Group gap={4} hiddenFrom="sm"><Ends token={token} standing={standing} /></Group>}
        </Stack>
      </Table.Td>
      <Table.Td visibleFrom="sm"><ModeBadge mode={token.mode} /></Table.Td>
      <Table.Td visibleFrom="sm"><Scopes token={token} /></Table.Td>
      <Table.Td visibleFrom="md"><Time at={token.created_at} /></Table.Td>
      <Table.Td visibleFrom="sm">{used}</Table.Td>
      <Table.Td visibleFrom="sm"><Ends token={token} standing={standing} /></Table.Td>
      <Table.Td ta="right">
        {active && onRevoke && (
          <Button size="compact-sm" variant="subtle" color="red" onClick={() => onRevoke(token)} aria-label={`Revoke ${token.name}`}>Revoke</Button>
        )}
      </Table.Td>
    </Table.Tr>
  );
}

function Ends({ token, standing }: { token: ApiToken; standing: Standing }) {
  if (token.revoked_at) return <Text size="sm" component="span">revoked <Time at={token.revoked_at} /></Text>;
  if (!token.expires_at) return <Text size="sm" component="span" c="dimmed">never</Text>;
  return <Text size="sm" component="span">{standing === "expired" && "expired "}<Time at={token.expires_at} /></Text>;
}

function ModeBadge({ mode }: { mode: ApiToken["mode"] }) {
  return <Badge variant="light" color={mode === "test" ? "orange" : "indigo"} tt="none">{mode}</Badge>;
}

function Scopes({ token }: { token: ApiToken }) {
  return <Text size="sm" component="span">{token.scopes.join(", ")}</Text>;
}

function Revoke({ token, onClose }: { token: ApiToken; onClose: () => void }) {
  const { projectId, api } = useProjectScope();
  const params = { path: { project_id: projectId, token_id: token.id } };
  const revoking = useAct({
    does: () => body(api.DELETE("/v1/projects/{project_id}/tokens/{token_id}", { params })),
    changes: [[projectId, "tokens"]],
    told: `${token.name} is revoked`,
    then: onClose,
  });
  return (
    <Confirm opened onClose={onClose} title={`Revoke ${token.name}?`} action="Revoke it" busy={revoking.isPending} onConfirm={() => revoking.mutate()}>
      <Stack gap="sm">
        <span>Whatever still uses it is refused within 30 seconds. What it has sent stays on its way. {token.last_used_at && <>It was last used <Time at={token.last_used_at} />.</>}</span>
        {revoking.isError && <Problem error={revoking.error} />}
      </Stack>
    </Confirm>
  );
}
