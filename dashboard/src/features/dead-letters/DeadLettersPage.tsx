import { Badge, Button, Center, Group, SegmentedControl, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";

import { useProjectScope } from "@/app/project";
import { channelName } from "@/components/badges";
import { Page } from "@/components/Page";
import { Empty, Loading, Problem } from "@/components/States";
import { Time } from "@/components/Time";
import styles from "@/features/dead-letters/dead-letters.module.css";
import { type LetterGroup, useGroups } from "@/features/dead-letters/queries";

export function DeadLettersPage() {
  const groups = useGroups();
  const [which, setWhich] = useState<string>("open");
  const shown = groups.data?.filter((each) => which === "all" || each.open > 0);
  const choice = <SegmentedControl size="xs" aria-label="Which groups" value={which} onChange={setWhich} data={[{ value: "open", label: "Open" }, { value: "all", label: "All" }]} />;
  return (
    <Page title="Dead letters" about="What failed for good, by cause: mend the cause, then send it again." actions={choice}>
      {groups.isPending && <Loading label="Loading dead letters" />}
      {groups.isError && <Problem error={groups.error} again={() => void groups.refetch()} />}
      {shown?.length === 0 && <Nothing ever={(groups.data?.length ?? 0) > 0} onAll={() => setWhich("all")} />}
      {shown && shown.length > 0 && (
        <ul className={styles.list} aria-label="Causes">
          {shown.map((each) => <li key={each.fingerprint} className={styles.item}><Cause of={each} /></li>)}
        </ul>
      )}
      {groups.hasNextPage && <Center><Button variant="default" loading={groups.isFetchingNextPage} onClick={() => void groups.fetchNextPage()}>Show older</Button></Center>}
    </Page>
  );
}

function Cause({ of }: { of: LetterGroup }) {
  const { projectId, mode } = useProjectScope();
  return (
    <Link to="/p/$projectId/dead-letters/$fingerprint" params={{ projectId, fingerprint: of.fingerprint }} search={mode === "test" ? { mode } : {}} className={styles.group}>
      <div className={styles.wide}>
        <Text size="sm" fw={600} lineClamp={2} className="address">{of.sample.reason}</Text>
        <Text size="xs" c="dimmed">{channelName(of.sample.channel)}</Text>
      </div>
      <Group gap={6} className={styles.wide}>
        {of.open > 0 ? <Badge color="red" variant="light" autoContrast tt="none">{of.open} open</Badge> : <Badge color="gray" variant="light" tt="none">none open</Badge>}
        {of.count !== of.open && <Text span size="xs" c="dimmed">of {of.count}</Text>}
      </Group>
      <div><Text size="xs" c="dimmed">First seen</Text><Text size="sm" component="div"><Time at={of.first_seen} /></Text></div>
      <div><Text size="xs" c="dimmed">Last seen</Text><Text size="sm" component="div"><Time at={of.last_seen} /></Text></div>
    </Link>
  );
}

function Nothing({ ever, onAll }: { ever: boolean; onAll: () => void }) {
  if (ever) return <Empty title="Nothing is open" action={<Button variant="default" size="xs" onClick={onAll}>Show what was dealt with</Button>}>Every dead letter was sent again or discarded.</Empty>;
  return <Empty title="No dead letters">A delivery that fails for good appears here with its cause, and can be sent again once the cause is mended.</Empty>;
}
