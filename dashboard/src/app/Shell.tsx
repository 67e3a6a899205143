/** Around every page of a project: where one is, what else there is, live or test, light or dark. */

import { AppShell, Badge, Box, Burger, Group, NavLink, SegmentedControl, Skeleton, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import {
  ActivityLogIcon, BarChartIcon, CubeIcon, EnvelopeClosedIcon, ExclamationTriangleIcon, GearIcon, LockClosedIcon, PersonIcon,
  RocketIcon,
} from "@radix-ui/react-icons";
import { Link, Outlet, useNavigate } from "@tanstack/react-router";

import type { Mode } from "@/api/client";
import { AccountMenu } from "@/app/AccountMenu";
import { useProject, useProjectScope } from "@/app/project";
import { SchemeSwitch } from "@/components/SchemeSwitch";
import { Problem } from "@/components/States";

const PAGES = [
  { to: "/p/$projectId/overview", label: "Overview", icon: BarChartIcon },
  { to: "/p/$projectId/notifications", label: "Notifications", icon: EnvelopeClosedIcon },
  { to: "/p/$projectId/dead-letters", label: "Dead letters", icon: ExclamationTriangleIcon },
  { to: "/p/$projectId/integrations", label: "Integrations", icon: CubeIcon },
  { to: "/p/$projectId/tokens", label: "API tokens", icon: LockClosedIcon },
  { to: "/p/$projectId/members", label: "Members", icon: PersonIcon },
  { to: "/p/$projectId/audit-log", label: "Audit log", icon: ActivityLogIcon },
  { to: "/p/$projectId/settings", label: "Settings", icon: GearIcon },
  { to: "/p/$projectId/start", label: "Get started", icon: RocketIcon },
] as const;

export function Shell() {
  const [opened, { toggle, close }] = useDisclosure();
  const { projectId, mode } = useProjectScope();
  const project = useProject();
  return (
    <AppShell header={{ height: 56 }} navbar={{ width: 220, breakpoint: "sm", collapsed: { mobile: !opened } }} padding="md">
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap" miw={0}>
            <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Pages" />
            <Link to="/" aria-label="Your projects"><img src="/icon.svg" alt="" width={28} height={28} style={{ display: "block" }} /></Link>
            {project.data ? <Text fw={600} truncate>{project.data.name}</Text> : <Skeleton w={120} h={20} />}
            {project.data?.archived_at && <Badge color="gray">archived</Badge>}
          </Group>
          <Group gap="xs" wrap="nowrap">
            <ModeSwitch mode={mode} />
            <SchemeSwitch />
            <AccountMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Pages of the project">
        {PAGES.map(({ to, label, icon: Icon }) => (
          <NavLink
            key={to}
            renderRoot={(props) => (
              <Link to={to} params={{ projectId }} search={mode === "test" ? { mode } : {}} activeProps={{ "data-active": true, "aria-current": "page" }} {...props} />
            )}
            label={label}
            leftSection={<Icon aria-hidden />}
            onClick={close}
          />
        ))}
      </AppShell.Navbar>
      <AppShell.Main>
        <Box maw={1280} mx="auto">{project.isError ? <Problem error={project.error} /> : <Outlet />}</Box>
      </AppShell.Main>
    </AppShell>
  );
}

/** Test tokens' notifications never reach anybody; the two are never shown together. */
function ModeSwitch({ mode }: { mode: Mode }) {
  const navigate = useNavigate();
  return (
    <SegmentedControl
      size="xs"
      aria-label="Live or test"
      value={mode}
      data={[{ value: "live", label: "Live" }, { value: "test", label: "Test" }]}
      color={mode === "test" ? "orange" : "indigo"}
      onChange={(value) => void navigate({ to: ".", search: (before) => ({ ...before, mode: value === "test" ? "test" : undefined }) as never })}
    />
  );
}
