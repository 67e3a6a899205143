import { Stack, Text, Title } from "@mantine/core";

import { useMay, useProject } from "@/app/project";
import { Copyable } from "@/components/Copy";
import { Page } from "@/components/Page";
import { Loading, Problem } from "@/components/States";
import { Archive } from "@/features/settings/Archive";
import { EraseRecipient } from "@/features/settings/EraseRecipient";
import { General } from "@/features/settings/General";
import classes from "@/features/settings/settings.module.css";

export function SettingsPage() {
  const project = useProject();
  const may = useMay();
  return (
    <Page title="Settings">
      {project.isPending && <Loading label="Loading settings" />}
      {project.isError && <Problem error={project.error} again={() => void project.refetch()} />}
      {project.data && (
        <Stack gap="xl" maw={640}>
          <Section title="General" about={may("project:update") ? undefined : "Admins and owners change these."}>
            <Stack gap={4}>
              <Text size="sm" fw={500}>Project id</Text>
              <Copyable value={project.data.id} label="project id" />
            </Stack>
            <General project={project.data} />
          </Section>
          <Section title="Erase a recipient's data" about="For somebody who asks to be forgotten: what waits for them is cancelled, what is stored about them is blanked, live and test alike.">
            <EraseRecipient />
          </Section>
          <Section title="Archive the project" about="Closes it for good: tokens stop, nothing is accepted or sent any more. What is stored goes when its time of retention is over." danger>
            <Archive project={project.data} />
          </Section>
        </Stack>
      )}
    </Page>
  );
}

function Section({ title, about, danger = false, children }: { title: string; about?: string | undefined; danger?: boolean; children: React.ReactNode }) {
  return (
    <section className={classes.section} data-danger={danger || undefined} aria-label={title}>
      <Stack>
        <Stack gap={2}>
          <Title order={2} size="h4">{title}</Title>
          {about && <Text size="sm" c="dimmed">{about}</Text>}
        </Stack>
        {children}
      </Stack>
    </section>
  );
}
