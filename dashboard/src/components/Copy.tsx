import "@mantine/core/styles/Code.css";

import { ActionIcon, Button, Code, CopyButton, Group, Tooltip } from "@mantine/core";
import { CheckIcon, CopyIcon } from "@radix-ui/react-icons";

/** A value that people carry elsewhere: an id, a token, a link. */
export function Copyable({ value, label }: { value: string; label: string }) {
  return (
    <Group gap={4} wrap="nowrap">
      <Code className="address">{value}</Code>
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? "Copied" : `Copy ${label}`}>
            <ActionIcon variant="subtle" size="sm" onClick={copy} aria-label={`Copy ${label}`}>
              {copied ? <CheckIcon /> : <CopyIcon />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </Group>
  );
}

/** A block of code with its button, for what is longer than a line. */
export function CopyBlock({ value, label }: { value: string; label: string }) {
  return (
    <div style={{ position: "relative" }}>
      <Code block pt={40} tabIndex={0} aria-label={label}>{value}</Code>
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <Button size="compact-xs" variant="light" onClick={copy} pos="absolute" top={8} right={8}>
            {copied ? "Copied" : "Copy"}
          </Button>
        )}
      </CopyButton>
    </div>
  );
}
