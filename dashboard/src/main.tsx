import "@/app/styles";
import "@/app/global.css";

import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { Unconfigured } from "@/app/Unconfigured";
import { queries } from "@/app/queries";
import { createAppRouter } from "@/app/router";
import { theme } from "@/app/theme";
import { Told } from "@/app/told";
import { loadConfig } from "@/config";
import { SessionProvider } from "@/session/context";
import { Session } from "@/session/session";

const root = createRoot(document.getElementById("root") ?? document.body);

async function start(): Promise<void> {
  const config = await loadConfig().catch(() => undefined);
  if (!config) {
    root.render(<MantineProvider theme={theme} defaultColorScheme="auto" deduplicateCssVariables={false}><Unconfigured /></MantineProvider>);
    return;
  }
  const session = new Session(config);
  const router = createAppRouter(config, session);
  void session.restore();
  root.render(
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme="auto" deduplicateCssVariables={false}>
        <Told />
        <QueryClientProvider client={queries}>
          <SessionProvider value={session}>
            <RouterProvider router={router} />
          </SessionProvider>
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}

void start();
