import "@mantine/core/styles/Tabs.css";

import { Stack, Tabs, Text, Title } from "@mantine/core";

import { useProjectScope } from "@/app/project";
import { CopyBlock } from "@/components/Copy";
import { type Draft, RECIPIENTS, requestOf } from "@/features/start/draft";
import { snippets } from "@/features/start/snippets";

export function Snippets({ draft, token }: { draft: Draft; token: string | undefined }) {
  const { mode } = useProjectScope();
  const filled = { ...draft, to: draft.to.trim() || RECIPIENTS[draft.channel].example };
  const all = snippets(window.location.origin, token ?? `nofy_${mode}_YOUR_TOKEN`, requestOf(filled));
  return (
    <Stack component="section" gap="xs" aria-label="The same from your code">
      <Title order={2} size="h4">The same from your code</Title>
      {!token && <Text size="sm" c="dimmed">Put your own token where it says YOUR_TOKEN, or make one above and it stands there.</Text>}
      <Tabs defaultValue="curl">
        <Tabs.List>{all.map((each) => <Tabs.Tab key={each.value} value={each.value}>{each.label}</Tabs.Tab>)}</Tabs.List>
        {all.map((each) => <Tabs.Panel key={each.value} value={each.value} pt="xs"><CopyBlock value={each.code} label={`${each.label} code`} /></Tabs.Panel>)}
      </Tabs>
    </Stack>
  );
}
