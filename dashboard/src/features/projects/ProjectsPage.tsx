import "@mantine/core/styles/ModalBase.css";
import "@mantine/core/styles/Modal.css";

import { Badge, Box, Button, Container, Group, Modal, Paper, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { PlusIcon } from "@radix-ui/react-icons";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { ApiProblem } from "@/api/problem";
import { AccountMenu } from "@/app/AccountMenu";
import { Page } from "@/components/Page";
import { SchemeSwitch } from "@/components/SchemeSwitch";
import { Empty, Loading, Problem } from "@/components/States";
import { Time } from "@/components/Time";
import classes from "@/features/projects/projects.module.css";
import { type ProjectOfMember, useCreateProject, useProjects } from "@/features/projects/queries";

/** Where one belongs. Outside of any project, so it brings its own head. */
export function ProjectsPage() {
  const projects = useProjects();
  const [opened, { open, close }] = useDisclosure();
  const found = projects.data?.projects ?? [];
  return (
    <>
      <Group component="header" justify="space-between" px="md" h={56} className={classes.head}>
        <img src="/icon.svg" alt="Nofy" width={28} height={28} />
        <Group gap="xs"><SchemeSwitch /><AccountMenu /></Group>
      </Group>
      <Container component="main" size="sm" py="xl">
        <Page title="Your projects" actions={found.length > 0 && <Button leftSection={<PlusIcon />} onClick={open}>New project</Button>}>
          {projects.isPending && <Loading rows={3} label="Loading your projects" />}
          {projects.isError && <Problem error={projects.error} again={() => void projects.refetch()} />}
          {projects.isSuccess && found.length === 0 && (
            <Empty title="Make your first project" action={<Box w="100%" maw={360} mt="sm"><ProjectForm /></Box>}>
              A project has its own tokens, integrations, people and notifications. One for each product is usual.
            </Empty>
          )}
          <Stack component="ul" gap="xs" p={0} m={0} className={classes.list}>
            {found.map((each) => <li key={each.id}><ProjectCard project={each} /></li>)}
          </Stack>
        </Page>
      </Container>
      <Modal opened={opened} onClose={close} title="New project"><ProjectForm /></Modal>
    </>
  );
}

function ProjectCard({ project }: { project: ProjectOfMember }) {
  return (
    <Paper
      withBorder
      p="md"
      className={classes.card}
      data-archived={project.archived_at !== null || undefined}
      renderRoot={(props) => <Link to="/p/$projectId" params={{ projectId: project.id }} {...props} />}
    >
      <Group justify="space-between" wrap="nowrap">
        <Stack gap={2} miw={0}>
          <Text fw={600} truncate>{project.name}</Text>
          <Text size="xs" c="dimmed">Made <Time at={project.created_at} /></Text>
        </Stack>
        <Group gap="xs" wrap="nowrap">
          {project.archived_at && <Badge color="gray" variant="light" tt="none">archived</Badge>}
          <Badge variant="light" tt="none">{project.role}</Badge>
        </Group>
      </Group>
    </Paper>
  );
}

/** A new project goes on to its first steps. */
function ProjectForm() {
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const creating = useCreateProject((made) => void navigate({ to: "/p/$projectId/start", params: { projectId: made.id } }));
  const field = creating.error instanceof ApiProblem ? creating.error.field("/name") : undefined;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim()) creating.mutate(name.trim());
      }}
    >
      <Stack>
        <TextInput
          label="Name" placeholder="Acme production" maxLength={70} required withAsterisk={false} data-autofocus
          value={name} error={field} onChange={(event) => setName(event.currentTarget.value)}
        />
        {creating.isError && !field && <Problem error={creating.error} />}
        <Button type="submit" loading={creating.isPending} disabled={!name.trim()}>Create project</Button>
      </Stack>
    </form>
  );
}
