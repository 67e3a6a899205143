import { Group } from "@mantine/core";
import { useState } from "react";

import { useMay, useProjectScope } from "@/app/project";
import { GuardedButton } from "@/components/GuardedButton";
import { Problem } from "@/components/States";
import { NewSecret } from "@/components/token/NewSecret";
import { type CreatedApiToken, standingOf, useCreateToken, useTokens } from "@/components/token/queries";
import { Step } from "@/features/start/Step";

export function TokenStep({ made, onMade }: { made: CreatedApiToken | undefined; onMade: (made: CreatedApiToken) => void }) {
  const { mode } = useProjectScope();
  const may = useMay()("tokens:manage");
  const tokens = useTokens();
  const creating = useCreateToken();
  const [now] = useState(Date.now);
  const usable = tokens.data?.filter((each) => each.mode === mode && standingOf(each, now) === "active") ?? [];
  const done = made !== undefined || usable.length > 0;
  const create = () => creating.mutate({ name: "First steps", mode, scopes: ["send", "read"] }, { onSuccess: onMade });
  return (
    <Step
      number={1} title="Make an API token" done={done}
      summary={done && !made ? `${usable.map((each) => each.name).join(", ")}: ready for ${mode} notifications.` : "Your servers sign their requests with it."}
    >
      {made && <NewSecret value={made.token} label="token">Copy it now: it is not shown again. The code below has it already.</NewSecret>}
      {creating.isError && <Problem error={creating.error} />}
      {!made && (
        <Group>
          <GuardedButton allowed={may} reason="Developers, admins and owners make tokens." variant={done ? "default" : "filled"} size={done ? "xs" : "sm"} loading={creating.isPending} onClick={create}>
            {done ? "Make another" : `Make a ${mode} token`}
          </GuardedButton>
        </Group>
      )}
    </Step>
  );
}
