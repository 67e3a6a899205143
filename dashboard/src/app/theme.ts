import { createTheme, defaultVariantColorsResolver, type MantineColorsTuple, parseThemeColor } from "@mantine/core";

const indigo: MantineColorsTuple = [
  "#edf2ff", "#dbe4ff", "#bac8ff", "#91a7ff", "#748ffc", "#5c7cfa", "#4c6ef5", "#4263eb", "#3b5bdb", "#364fc7",
];

/** Words on a tint of their own colour: Mantine's are 3.8:1, AA wants 4.5:1; and a large field of it is quieter so. */
const variantColorResolver: typeof defaultVariantColorsResolver = (input) => {
  const resolved = defaultVariantColorsResolver(input);
  const { isThemeColor, color } = parseThemeColor({ color: input.color, theme: input.theme });
  if (input.variant !== "light" || !isThemeColor) return resolved;
  const [dark, light] = [`color-mix(in srgb, var(--mantine-color-${color}-9), black 30%)`, `var(--mantine-color-${color}-2)`];
  const background = `light-dark(var(--mantine-color-${color}-0), color-mix(in srgb, var(--mantine-color-${color}-6) 18%, transparent))`;
  return { ...resolved, background, color: `light-dark(${dark}, ${light})` };
};

export const theme = createTheme({
  primaryColor: "indigo",
  primaryShade: { light: 8, dark: 7 },
  colors: { indigo },
  defaultRadius: "md",
  fontFamily: "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
  fontFamilyMonospace: "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace",
  cursorType: "pointer",
  autoContrast: true,
  variantColorResolver,
  components: {
    Anchor: { defaultProps: { underline: "hover" } },
    Table: { defaultProps: { verticalSpacing: "xs", highlightOnHover: true } },
    Notification: { defaultProps: { closeButtonProps: { "aria-label": "Close" } } },
    Modal: { defaultProps: { centered: true, closeButtonProps: { "aria-label": "Close" } } },
  },
});
