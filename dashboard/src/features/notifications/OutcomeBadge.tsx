import { Badge, type MantineColor } from "@mantine/core";

const LOOKS: Record<string, [color: MantineColor, mark: string, word: string]> = {
  accepted: ["green", "✓", "accepted"],
  throttled: ["yellow", "◷", "throttled"],
  transient: ["yellow", "↻", "failed for now"],
  rejected: ["red", "✕", "rejected"],
  unknown: ["grape", "?", "no answer"],
  not_tried: ["gray", "–", "not tried"],
};

/** What one try came to; the delivery's own status is another thing. */
export function OutcomeBadge({ outcome }: { outcome: string }) {
  const [color, mark, word] = LOOKS[outcome] ?? ["gray", "•", outcome];
  return <Badge size="sm" color={color} variant="light" autoContrast tt="none" radius="sm" leftSection={<span aria-hidden>{mark}</span>}>{word}</Badge>;
}
