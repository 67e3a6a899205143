import { Button, type ButtonProps, Tooltip } from "@mantine/core";

/** What one may not do stays in sight and within reach of the keyboard, and says why it does nothing. */
export function GuardedButton({ allowed, reason = "Your role in this project does not allow this.", onClick, ...rest }: ButtonProps & {
  allowed: boolean;
  reason?: string;
  onClick?: () => void;
  type?: "button" | "submit";
  "aria-label"?: string;
}) {
  return (
    <Tooltip label={reason} disabled={allowed} multiline maw={280} events={{ hover: true, focus: true, touch: true }}>
      <Button
        {...rest}
        {...(!allowed && { "data-disabled": true, "aria-disabled": true, title: reason })}
        onClick={(event) => {
          if (allowed) onClick?.();
          else event.preventDefault();
        }}
      />
    </Tooltip>
  );
}
