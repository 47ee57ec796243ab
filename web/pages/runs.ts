// placeholder
export function RunsPage() {
  return null;
}
