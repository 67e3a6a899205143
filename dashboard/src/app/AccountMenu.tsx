import { Group, Menu, Text, UnstyledButton } from "@mantine/core";
import { ChevronDownIcon, PersonIcon } from "@radix-ui/react-icons";
import { Link } from "@tanstack/react-router";

import { useSession, useSessionState } from "@/session/context";

export function AccountMenu() {
  const session = useSession();
  const state = useSessionState();
  if (state.kind !== "in") return null;
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <UnstyledButton aria-label={`${state.person.name || state.person.email}, your account`}>
          <Group gap={4} wrap="nowrap"><PersonIcon /><Text size="sm" visibleFrom="sm">{state.person.name || state.person.email}</Text><ChevronDownIcon /></Group>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{state.person.email}</Menu.Label>
        <Menu.Item component={Link} to="/">Your projects</Menu.Item>
        <Menu.Item onClick={() => void session.signOut()}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
