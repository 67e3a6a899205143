import "@mantine/core/styles/PasswordInput.css";

import { Alert, Anchor, Box, Button, Center, Divider, Group, Loader, Paper, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { useLocation, useRouteContext, useRouter, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";

import { SchemeSwitch } from "@/components/SchemeSwitch";
import { type Refusal, refusalOf } from "@/features/sign-in/refusals";
import { useSession, useSessionState } from "@/session/context";

type Way = "in" | "up";

const WORDS = {
  in: { title: "Sign in to Nofy", action: "Sign in", other: "Create an account", ask: "New here?" },
  up: { title: "Create your account", action: "Create account", other: "Sign in", ask: "Have an account?" },
} as const;

export function SignInPage() {
  const state = useSessionState();
  const [way, setWay] = useState<Way>("in");
  useGoOn();
  useVerification();
  useEffect(() => {
    document.title = `${WORDS[way].action} · Nofy`;
  }, [way]);
  if (state.kind !== "out") {
    return <Center h="100vh"><Loader aria-label="Signing you in" /></Center>;
  }
  return (
    <Box component="main" mih="100vh" p="md">
      <Group justify="flex-end"><SchemeSwitch /></Group>
      <Center mt={{ base: 24, sm: "8vh" }}>
        <Stack w="100%" maw={400} gap="lg">
          <Stack gap="xs" align="center">
            <img src="/icon.svg" alt="" width={40} height={40} />
            <Title order={1} size="h2" ta="center">{WORDS[way].title}</Title>
          </Stack>
          <Paper withBorder p="lg" shadow="xs"><Stack><Notice /><SignInForm key={way} way={way} /><Providers /></Stack></Paper>
          <Text size="sm" ta="center">
            {WORDS[way].ask}{" "}
            <Anchor component="button" type="button" inherit onClick={() => setWay(way === "in" ? "up" : "in")}>{WORDS[way].other}</Anchor>
          </Text>
        </Stack>
      </Center>
    </Box>
  );
}

/** Whoever is signed in goes on to where they wanted to be. */
function useGoOn(): void {
  const session = useSession();
  const state = useSessionState();
  const router = useRouter();
  const { to = "/" } = useSearch({ from: "/sign-in" });
  const signedIn = state.kind === "in";
  useEffect(() => {
    if (!signedIn) return;
    const fragment = router.state.location.hash || session.keptFragment();
    router.history.replace(fragment ? `${to}#${fragment}` : to);
  }, [signedIn, session, router, to]);
}

/** Whoever comes by the link in AppWrite's message confirms their address by it, once. */
function useVerification(): void {
  const session = useSession();
  const router = useRouter();
  const { userId, secret } = useSearch({ from: "/sign-in" });
  const asked = useRef(false);
  const { mutate } = useMutation({
    mutationFn: (link: { userId: string; secret: string }) => session.verify(link.userId, link.secret),
    onSettled: () => router.navigate({ to: "/sign-in", search: {}, replace: true }),
  });
  useEffect(() => {
    if (!userId || !secret || asked.current) return;
    asked.current = true;
    mutate({ userId, secret });
  }, [userId, secret, mutate]);
}

/** Why one is here, where that is not by choice. */
function Notice() {
  const state = useSessionState();
  const { failed } = useSearch({ from: "/sign-in" });
  if (state.kind !== "out") return null;
  if (state.problem) return <Refused refusal={refusalOf(state.problem)} />;
  if (failed) return <Refused refusal={{ title: `${providerName(failed)} did not sign you in`, next: "Try again, or use your e-mail address." }} />;
  if (state.expired) return <Alert color="blue" role="status">You were signed out after a while. Sign in to go on where you were.</Alert>;
  return null;
}

function SignInForm({ way }: { way: Way }) {
  const session = useSession();
  const form = useForm({
    initialValues: { name: "", email: "", password: "" },
    validate: {
      email: (value) => (/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value.trim()) ? null : "An e-mail address, like ada@example.com"),
      password: (value) => (way === "up" && value.length < 8 ? "At least 8 characters" : value ? null : "Your password"),
    },
  });
  const entering = useMutation({
    mutationFn: ({ name, email, password }: typeof form.values) =>
      way === "in" ? session.signIn(email.trim(), password) : session.signUp(email.trim(), password, name.trim()),
  });
  return (
    <form onSubmit={form.onSubmit((values) => entering.mutate(values))} noValidate>
      <Stack gap="sm">
        {entering.isError && <Refused refusal={refusalOf(entering.error)} />}
        {way === "up" && <TextInput label="Name" autoComplete="name" {...form.getInputProps("name")} />}
        <TextInput label="E-mail address" type="email" autoComplete="username" data-autofocus {...form.getInputProps("email")} />
        <PasswordInput label="Password" autoComplete={way === "in" ? "current-password" : "new-password"} {...form.getInputProps("password")} />
        <Button type="submit" loading={entering.isPending} fullWidth mt="xs">{WORDS[way].action}</Button>
      </Stack>
    </form>
  );
}

function Refused({ refusal }: { refusal: Refusal }) {
  const session = useSession();
  const asking = useMutation({ mutationFn: () => session.askToVerify() });
  return (
    <Alert color="red" title={refusal.title} role="alert">
      {asking.isSuccess ? "Sent. Open the link in the message, then sign in." : refusal.next}
      {refusal.unverified && !asking.isSuccess && (
        <Button mt="xs" size="xs" variant="light" color="red" loading={asking.isPending} onClick={() => asking.mutate()}>Send the message again</Button>
      )}
      {asking.isError && <Text size="sm" mt="xs">{refusalOf(asking.error).title}</Text>}
    </Alert>
  );
}

function Providers() {
  const { config } = useRouteContext({ from: "/sign-in" });
  const session = useSession();
  const { to = "/" } = useSearch({ from: "/sign-in" });
  const hash = useLocation({ select: (location) => location.hash });
  const leaving = useMutation({ mutationFn: (provider: string) => session.signInWith(provider, to, hash) });
  if (config.appwrite.oauth.length === 0) return null;
  return (
    <Stack gap="xs">
      <Divider label="or" labelPosition="center" />
      {leaving.isError && <Refused refusal={refusalOf(leaving.error)} />}
      {config.appwrite.oauth.map((each) => (
        <Button key={each} variant="default" loading={leaving.isPending && leaving.variables === each} onClick={() => leaving.mutate(each)}>
          Continue with {providerName(each)}
        </Button>
      ))}
    </Stack>
  );
}

const NAMES: Partial<Record<string, string>> = { github: "GitHub", gitlab: "GitLab", linkedin: "LinkedIn", oidc: "single sign-on" };

function providerName(provider: string): string {
  return NAMES[provider] ?? provider.charAt(0).toUpperCase() + provider.slice(1);
}
