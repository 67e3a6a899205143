import "@mantine/core/styles/Table.css";

import { Button, Stack, Table, Text, Title } from "@mantine/core";
import { useState } from "react";

import { useMay } from "@/app/project";
import { Confirm } from "@/components/confirm";
import { Problem } from "@/components/States";
import { Time } from "@/components/Time";
import { type Invitation, useInvitations, useRevokeInvitation } from "@/features/members/queries";
import { roleName } from "@/features/members/roles";

/** Ways in that are open: nothing is shown where there are none. */
export function Invitations() {
  const invitations = useInvitations();
  const may = useMay()("members:manage");
  const [closing, setClosing] = useState<Invitation>();
  if (invitations.isError) return <Problem error={invitations.error} again={() => void invitations.refetch()} />;
  if (!invitations.data || invitations.data.length === 0) return null;
  return (
    <Stack component="section" gap="xs" aria-labelledby="invitations">
      <Title order={2} size="h4" id="invitations">Open invitations</Title>
      <Table verticalSpacing="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>For</Table.Th>
            <Table.Th>Role</Table.Th>
            <Table.Th visibleFrom="sm">Made</Table.Th>
            <Table.Th>Ends</Table.Th>
            <Table.Th><span className="for-readers">Actions</span></Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {invitations.data.map((each) => (
            <Table.Tr key={each.id}>
              <Table.Td><Text size="sm" className="address">{each.email ?? "Whoever has the link"}</Text></Table.Td>
              <Table.Td><Text size="sm">{roleName(each.role)}</Text></Table.Td>
              <Table.Td visibleFrom="sm"><Time at={each.created_at} /></Table.Td>
              <Table.Td><Time at={each.expires_at} /></Table.Td>
              <Table.Td ta="right">
                {may && <Button size="compact-sm" variant="subtle" color="red" onClick={() => setClosing(each)} aria-label={`Close the invitation for ${each.email ?? "whoever has the link"}`}>Close</Button>}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {closing && <Close invitation={closing} onClose={() => setClosing(undefined)} />}
    </Stack>
  );
}

function Close({ invitation, onClose }: { invitation: Invitation; onClose: () => void }) {
  const closing = useRevokeInvitation(invitation, onClose);
  return (
    <Confirm opened onClose={onClose} title="Close this invitation?" action="Close it" busy={closing.isPending} onConfirm={() => closing.mutate()}>
      <Stack gap="sm">
        <span>Its link opens nothing any more.</span>
        {closing.isError && <Problem error={closing.error} />}
      </Stack>
    </Confirm>
  );
}
