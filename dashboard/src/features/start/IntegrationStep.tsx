import { Alert, Badge, Group, SegmentedControl, Stack, Text } from "@mantine/core";
import { useState } from "react";

import { useMay } from "@/app/project";
import { channelName } from "@/components/badges";
import { GuardedButton } from "@/components/GuardedButton";
import { Facts } from "@/components/integration/Facts";
import { AddIntegration } from "@/components/integration/IntegrationForm";
import { type Channel, CHANNELS, type Integration, useIntegrations } from "@/components/integration/queries";
import { toldCheck } from "@/components/integration/settings";
import { Loading, Problem } from "@/components/States";
import { Step } from "@/features/start/Step";

export function IntegrationStep() {
  const integrations = useIntegrations();
  const may = useMay()("integrations:manage");
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState<Integration>();
  const found = integrations.data ?? [];
  // What was said of the last one would be read as said of this one, and before its provider has answered.
  const startAdding = () => { setMade(undefined); setAdding(true); };
  const done = found.some((each) => !each.held);
  const open = integrations.isSuccess && may && (adding || found.length === 0);
  return (
    <Step number={2} title="Add an account to send with" done={done} summary="The provider is asked at once whether it knows the credential.">
      {integrations.isPending && <Loading rows={2} label="Loading integrations" />}
      {integrations.isError && <Problem error={integrations.error} again={() => void integrations.refetch()} />}
      {found.length > 0 && <Have integrations={found} />}
      {made && (
        <Alert color="green" role="status" title={`${made.provider.charAt(0).toUpperCase()}${made.provider.slice(1)} knows this credential`}>
          <Facts facts={toldCheck(made.credential.checked)} />
        </Alert>
      )}
      {open && <Add integrations={found} onDone={(added) => { setMade(added); setAdding(false); }} />}
      {integrations.isSuccess && !open && (
        <Group><GuardedButton allowed={may} reason="Admins and owners add integrations." variant="default" size="xs" onClick={startAdding}>{found.length > 0 ? "Add another" : "Add one"}</GuardedButton></Group>
      )}
    </Step>
  );
}

function Have({ integrations }: { integrations: Integration[] }) {
  return (
    <Group gap="md">
      {integrations.map((each) => (
        <Group key={each.id} gap={6} wrap="nowrap">
          <Text size="sm">{each.name === channelName(each.channel) ? each.name : `${channelName(each.channel)}: ${each.name}`}</Text>
          {each.held && <Badge color="orange" variant="light" tt="none">held</Badge>}
        </Group>
      ))}
    </Group>
  );
}

function Add({ integrations, onDone }: { integrations: Integration[]; onDone: (made: Integration) => void }) {
  const [channel, setChannel] = useState<Channel>("slack");
  return (
    <Stack maw={520}>
      <SegmentedControl
        aria-label="Channel" value={channel} onChange={(value) => setChannel(value)}
        data={CHANNELS.map((value) => ({ value, label: channelName(value) }))}
      />
      <AddIntegration key={channel} channel={channel} first={!integrations.some((each) => each.channel === channel)} onDone={onDone} />
    </Stack>
  );
}
