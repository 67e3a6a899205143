import "@mantine/core/styles/List.css";

import { Alert, Group, List, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";

import { body } from "@/api/client";
import { ApiProblem } from "@/api/problem";
import type { components } from "@/api/schema";
import { useAct } from "@/app/act";
import { useMay, useProjectScope } from "@/app/project";
import { Confirm } from "@/components/confirm";
import { GuardedButton } from "@/components/GuardedButton";
import { Problem } from "@/components/States";

type Report = components["schemas"]["ErasureReport"];

export function EraseRecipient() {
  const { projectId, api } = useProjectScope();
  const may = useMay()("recipients:erase");
  const [address, setAddress] = useState("");
  const [asking, setAsking] = useState(false);
  const wanted = address.trim();
  const erasing = useAct({
    does: () => body(api.DELETE("/v1/recipients", { params: { query: { address: wanted } } })) as Promise<Report>,
    changes: [[projectId]],
  });
  const field = erasing.error instanceof ApiProblem ? erasing.error.field("?/address") : undefined;
  return (
    <Stack gap="sm">
      <TextInput
        label="Address" description="An e-mail address, a phone number with its +, or a Slack id, as notifications named it" placeholder="ada@example.com"
        value={address} error={field} disabled={!may} onChange={(event) => { setAddress(event.currentTarget.value); erasing.reset(); }}
      />
      {erasing.isError && !field && <Problem error={erasing.error} />}
      {erasing.data && <Erased report={erasing.data} address={wanted} />}
      <Group justify="flex-end">
        <GuardedButton allowed={may} reason="Admins and owners erase recipients' data." color="red" variant="light" disabled={may && !wanted} loading={erasing.isPending} onClick={() => setAsking(true)}>
          Erase data
        </GuardedButton>
      </Group>
      <Confirm
        opened={asking} onClose={() => setAsking(false)} title="Erase this recipient's data?" action="Erase for good" busy={erasing.isPending}
        onConfirm={() => erasing.mutate(undefined, { onSettled: () => setAsking(false) })}
      >
        What is stored about <strong className="address">{wanted}</strong> is blanked, and what waits for it is cancelled. This cannot be undone.
      </Confirm>
    </Stack>
  );
}

function Erased({ report: { erased, remains }, address }: { report: Report; address: string }) {
  const counts: [number, string][] = [
    [erased.notifications, "notifications blanked"], [erased.deliveries, "deliveries blanked"],
    [erased.cancelled, "cancelled before they were sent"], [erased.in_flight, "being sent at this moment"],
  ];
  return (
    <Alert color="green" role="status" title={`Erased what was stored about ${address}`}>
      <Group gap="lg" mb="sm">
        {counts.map(([count, label]) => <Text key={label} size="sm"><strong>{count}</strong> {label}</Text>)}
      </Group>
      <Text size="sm" fw={600}>What remains</Text>
      <List size="sm" spacing={4}>{remains.map((each) => <List.Item key={each}>{each}</List.Item>)}</List>
    </Alert>
  );
}
