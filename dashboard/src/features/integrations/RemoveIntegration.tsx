import { Text } from "@mantine/core";

import { body } from "@/api/client";
import { useAct } from "@/app/act";
import { useProjectScope } from "@/app/project";
import { channelName } from "@/components/badges";
import { Confirm } from "@/components/confirm";
import type { Integration } from "@/components/integration/queries";
import { Problem } from "@/components/States";

export function RemoveIntegration({ integration, onClose }: { integration: Integration; onClose: () => void }) {
  const { projectId, api } = useProjectScope();
  const params = { path: { project_id: projectId, integration_id: integration.id } };
  const removing = useAct({
    does: () => body(api.DELETE("/v1/projects/{project_id}/integrations/{integration_id}", { params })),
    changes: [[projectId, "integrations"]],
    told: `${integration.name} is removed`,
    then: onClose,
  });
  const channel = channelName(integration.channel);
  return (
    <Confirm
      opened onClose={onClose} title={`Remove ${integration.name}?`} action="Remove it" busy={removing.isPending}
      onConfirm={() => removing.mutate()}
    >
      <Text size="sm" mb={removing.isError ? "sm" : 0}>
        Its credential is destroyed.
        {integration.default && ` It is the default for ${channel}: requests for ${channel} are refused until another one is.`}
      </Text>
      {removing.isError && <Problem error={removing.error} />}
    </Confirm>
  );
}
