import { Group, Stack, Text } from "@mantine/core";
import { useState } from "react";

import { useProject, useProjectScope } from "@/app/project";
import { Copyable } from "@/components/Copy";
import { type Integration, useIntegrations } from "@/components/integration/queries";
import { Page } from "@/components/Page";
import { Loading } from "@/components/States";
import type { CreatedApiToken } from "@/components/token/queries";
import { IntegrationStep } from "@/features/start/IntegrationStep";
import { SendStep } from "@/features/start/SendStep";
import { Snippets } from "@/features/start/Snippets";
import { TokenStep } from "@/features/start/TokenStep";
import { useDraft } from "@/features/start/useDraft";

export function StartPage() {
  const { projectId, mode } = useProjectScope();
  const project = useProject();
  const integrations = useIntegrations();
  const [token, setToken] = useState<CreatedApiToken>();
  const ofMode = token?.mode === mode ? token : undefined;
  return (
    <Page title="Get started" about="From nothing to a delivered message, on this page.">
      <Stack maw={760} gap="md">
        <Group gap="xs"><Text size="sm" c="dimmed">Project id</Text><Copyable value={projectId} label="project id" /></Group>
        {/* (what one may do is not known before) */}
        {project.isPending ? <Loading label="Loading the first steps" /> : (
          <>
            <TokenStep made={ofMode} onMade={setToken} />
            <IntegrationStep />
            <First integrations={integrations.data ?? []} token={ofMode?.token} />
          </>
        )}
      </Stack>
    </Page>
  );
}

/** What is sent, and the code that sends the same. */
function First({ integrations, token }: { integrations: Integration[]; token: string | undefined }) {
  const { form, draft } = useDraft(integrations);
  return (
    <>
      <SendStep form={form} draft={draft} integrations={integrations} />
      <Snippets draft={draft} token={token} />
    </>
  );
}
