import { Text } from "@mantine/core";

import classes from "@/components/integration/facts.module.css";

/** What is known of something: names and values, line by line. */
export function Facts({ facts }: { facts: [string, React.ReactNode][] }) {
  return (
    <dl className={classes.facts}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <Text component="dt" size="xs" c="dimmed">{name}</Text>
          <Text component="dd" size="sm" className="address">{value}</Text>
        </div>
      ))}
    </dl>
  );
}
