import "@mantine/core/styles.css";
import { MantineProvider, Title } from "@mantine/core";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

const root = document.getElementById("root");
if (root === null) throw new Error("The page has no #root");

createRoot(root).render(
  <StrictMode>
    <MantineProvider defaultColorScheme="auto">
      <Title>Orrery</Title>
    </MantineProvider>
  </StrictMode>,
);
