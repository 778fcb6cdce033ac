import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from "@mantine/core";

/** Night-sky indigo: what can be pressed. */
const ink: MantineColorsTuple = [
  "#eef1fb",
  "#dbe1f6",
  "#b9c4ec",
  "#97a8e2",
  "#7f93d9",
  "#5f76c6",
  "#465db0",
  "#374b96",
  "#2b3c7c",
  "#1f2d61",
];
/** The instrument's metal: where one looks first. */
const brass: MantineColorsTuple = [
  "#fbf4e4",
  "#f4e6c6",
  "#ebd39c",
  "#e2bf70",
  "#dbaf4e",
  "#cf9c33",
  "#b48325",
  "#94691b",
  "#755213",
  "#573c0b",
];

/** Mantine's dark greys, moved into the night's blue. */
const dark: MantineColorsTuple = [
  "#ebe8de",
  "#c9cde0",
  "#9fa8c6",
  "#7d88ad",
  "#46527d",
  "#2c3657",
  "#1a2340",
  "#141b30",
  "#0f1527",
  "#0c1120",
];

export const theme = createTheme({
  colors: { ink, brass, dark },
  primaryColor: "ink",
  primaryShade: { light: 7, dark: 4 },
  autoContrast: true,
  luminanceThreshold: 0.34,
  defaultRadius: "sm",
  cursorType: "pointer",
  fontFamily: "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', Roboto, Helvetica, Arial, sans-serif",
  fontFamilyMonospace: "ui-monospace, SFMono-Regular, 'Cascadia Mono', 'Liberation Mono', Menlo, monospace",
  headings: {
    fontFamily: "'Iowan Old Style', 'Palatino Linotype', Palatino, 'Book Antiqua', Georgia, 'Liberation Serif', serif",
    fontWeight: "600",
  },
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.125rem" },
});

/** Mantine's neutral greys give way to our paper and night; the values stand in styles.css. */
export const cssVariables: CSSVariablesResolver = () => {
  const shared = {
    "--mantine-color-body": "var(--o-surface)",
    "--mantine-color-text": "var(--o-ink)",
    "--mantine-color-dimmed": "var(--o-muted)",
    "--mantine-color-placeholder": "var(--o-muted)",
    "--mantine-color-default": "var(--o-surface)",
    "--mantine-color-default-hover": "var(--o-sunken)",
    "--mantine-color-default-border": "var(--o-line)",
    "--mantine-color-default-color": "var(--o-ink)",
    "--mantine-color-anchor": "var(--o-accent)",
    "--mantine-color-error": "var(--o-bad)",
  };
  return { variables: {}, light: shared, dark: shared };
};
