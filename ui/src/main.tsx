import "./no-eval.ts";
import "@mantine/core/styles.css";
import "./styles/palette.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/tables.css";
import "./styles/states.css";
import { MantineProvider } from "@mantine/core";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { router } from "./router.tsx";
import { SessionGate } from "./session.tsx";
import { cssVariables, theme } from "./theme.ts";

const root = document.getElementById("root");
if (root === null) throw new Error("The page has no #root");

createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <SessionGate>
        <RouterProvider router={router} />
      </SessionGate>
    </MantineProvider>
  </StrictMode>,
);
