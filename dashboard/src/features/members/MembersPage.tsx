import "@mantine/core/styles/Table.css";
import "@mantine/core/styles/ModalBase.css";
import "@mantine/core/styles/Modal.css";

import { Badge, Box, Button, Group, Modal, Select, Stack, Table, Text } from "@mantine/core";
import { useDisclosure, useMediaQuery } from "@mantine/hooks";
import { PlusIcon } from "@radix-ui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { useMay, useProject } from "@/app/project";
import { Confirm } from "@/components/confirm";
import { GuardedButton } from "@/components/GuardedButton";
import { Page } from "@/components/Page";
import { Loading, Problem } from "@/components/States";
import { Time } from "@/components/Time";
import { Invitations } from "@/features/members/Invitations";
import { Invite } from "@/features/members/Invite";
import { type Member, type Role, useChangeRole, useLeave, useMembers, useRemoveMember } from "@/features/members/queries";
import { roleName, ROLES } from "@/features/members/roles";
import { useSessionState } from "@/session/context";

export function MembersPage() {
  const members = useMembers();
  const may = useMay()("members:manage");
  const { isSuccess: known } = useProject();
  const [opened, { open, close }] = useDisclosure();
  const [parting, setParting] = useState<Member>();
  const invite = (
    <GuardedButton allowed={may || !known} reason="Admins and owners invite people." leftSection={<PlusIcon />} onClick={open}>Invite</GuardedButton>
  );
  const me = useMe();
  return (
    <Page title="Members" about="Who may do what in this project." actions={invite}>
      {members.isPending && <Loading rows={3} label="Loading members" />}
      {members.isError && <Problem error={members.error} again={() => void members.refetch()} />}
      {members.data && <Members members={members.data} me={me} onPart={setParting} />}
      <Invitations />
      <Modal opened={opened} onClose={close} title="Invite somebody" closeOnClickOutside={false}><Invite onDone={close} /></Modal>
      {parting && (parting.id === me ? <Leave onClose={() => setParting(undefined)} /> : <Remove member={parting} onClose={() => setParting(undefined)} />)}
    </Page>
  );
}

function useMe(): string | undefined {
  const state = useSessionState();
  return state.kind === "in" ? state.person.id : undefined;
}

function Members({ members, me, onPart }: { members: Member[]; me: string | undefined; onPart: (member: Member) => void }) {
  const may = useMay();
  const changing = useChangeRole();
  const narrow = useMediaQuery("(max-width: 48em)");
  // Who is no owner neither makes nor unmakes one.
  const mayTouch = (member: Member) => may("members:manage") && (member.role !== "owner" || may("owners:manage"));
  const role = (member: Member) => mayTouch(member)
    ? <RoleSelect member={member} onChange={(to) => changing.mutate({ member, role: to })} busy={changing.isPending && changing.variables.member.id === member.id} />
    : <Text size="sm">{roleName(member.role)}</Text>;
  return (
    <Stack gap="xs">
      {changing.isError && <Problem error={changing.error} />}
      <Table verticalSpacing="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Person</Table.Th>
            {!narrow && <Table.Th>Role</Table.Th>}
            <Table.Th visibleFrom="sm">Joined</Table.Th>
            <Table.Th><span className="for-readers">Actions</span></Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {members.map((each) => (
            <Table.Tr key={each.id}>
              <Table.Td>
                <Group gap={6}><Text size="sm" fw={600} className="address">{each.name || each.email}</Text>{each.id === me && <Badge size="sm" variant="light" color="gray" tt="none">you</Badge>}</Group>
                {each.name && <Text size="xs" c="dimmed" className="address">{each.email}</Text>}
                {narrow && <Box mt={6}>{role(each)}</Box>}
              </Table.Td>
              {!narrow && <Table.Td>{role(each)}</Table.Td>}
              <Table.Td visibleFrom="sm"><Time at={each.joined_at} /></Table.Td>
              <Table.Td ta="right">
                {each.id === me && <Button size="compact-sm" variant="subtle" color="red" onClick={() => onPart(each)}>Leave</Button>}
                {each.id !== me && mayTouch(each) && (
                  <Button size="compact-sm" variant="subtle" color="red" onClick={() => onPart(each)} aria-label={`Remove ${each.name || each.email}`}>Remove</Button>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Stack>
  );
}

function RoleSelect({ member, onChange, busy }: { member: Member; onChange: (role: Role) => void; busy: boolean }) {
  const owners = useMay()("owners:manage");
  const data = ROLES.filter((each) => owners || each.value !== "owner");
  return (
    <Select
      size="xs" w={{ base: 110, sm: 130 }} aria-label={`Role of ${member.name || member.email}`} allowDeselect={false} disabled={busy}
      comboboxProps={{ width: 260, position: "bottom-start" }} data={data} value={member.role}
      renderOption={({ option }) => <div><Text size="sm">{option.label}</Text><Text size="xs" c="dimmed">{ROLES.find((each) => each.value === option.value)?.about}</Text></div>}
      onChange={(role) => {
        if (role && role !== member.role) onChange(role);
      }}
    />
  );
}

function Remove({ member, onClose }: { member: Member; onClose: () => void }) {
  const removing = useRemoveMember(member, onClose);
  const name = member.name || member.email;
  return (
    <Confirm opened onClose={onClose} title={`Remove ${name}?`} action="Remove" busy={removing.isPending} onConfirm={() => removing.mutate()}>
      <Stack gap="sm">
        <span>They see nothing of this project any more. Tokens that they made stay: revoke those they know.</span>
        {removing.isError && <Problem error={removing.error} />}
      </Stack>
    </Confirm>
  );
}

function Leave({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const leaving = useLeave(() => void navigate({ to: "/" }));
  return (
    <Confirm opened onClose={onClose} title="Leave this project?" action="Leave" busy={leaving.isPending} onConfirm={() => leaving.mutate()}>
      <Stack gap="sm">
        <span>To come back, somebody has to invite you.</span>
        {leaving.isError && <Problem error={leaving.error} />}
      </Stack>
    </Confirm>
  );
}

