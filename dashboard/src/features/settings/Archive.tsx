import { Group, Stack } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { body } from "@/api/client";
import { useAct } from "@/app/act";
import { type Project, useMay, useProjectScope } from "@/app/project";
import { Confirm } from "@/components/confirm";
import { GuardedButton } from "@/components/GuardedButton";
import { Problem } from "@/components/States";

export function Archive({ project }: { project: Project }) {
  const { projectId, api } = useProjectScope();
  const may = useMay()("project:archive");
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const archiving = useAct({
    does: () => body(api.POST("/v1/projects/{project_id}/archive", { params: { path: { project_id: projectId } }, body: { name: project.name } })),
    changes: [["projects"]],
    told: `${project.name} is archived`,
    then: () => void navigate({ to: "/" }),
  });
  return (
    <Group justify="flex-end">
      <GuardedButton allowed={may} reason="Owners alone archive a project." color="red.8" onClick={() => setAsking(true)}>Archive project</GuardedButton>
      {asking && (
        <Confirm
          opened onClose={() => setAsking(false)} title={`Archive ${project.name}?`} action="Archive it" type={project.name}
          busy={archiving.isPending} onConfirm={() => archiving.mutate()}
        >
          <Stack gap="sm">
            <span>Servers that send through it are refused within 30 seconds. Nobody can open it again.</span>
            {archiving.isError && <Problem error={archiving.error} />}
          </Stack>
        </Confirm>
      )}
    </Group>
  );
}
