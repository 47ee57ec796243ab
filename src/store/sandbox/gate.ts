// Which SQL may run: one SELECT over the views `events` and `metrics`. Judged on DuckDB's own syntax tree, never
// on the text, and by lists of what is allowed: an unknown form, table or table function is
// refused. The second wall is the locked database (child.ts), the third is the process.

/** Longer SQL is generated, and its tree would be large. */
export const sqlCharactersMax = 50_000;

/** Tables by their schema. Of the catalog, what tools ask to learn the columns; it tells no path. */
const tables = new Map([
  ["", new Set(["events", "metrics"])],
  ["main", new Set(["events", "metrics"])],
  ["information_schema", new Set(["columns", "tables"])],
]);
const catalogs = new Set(["", "memory"]);

/** None of these reads a file, runs SQL from a string or tells about the machine. */
const tableFunctions = new Set([
  "generate_series",
  "json_each",
  "json_tree",
  "pg_timezone_names",
  "range",
  "repeat",
  "repeat_row",
  "unnest",
]);

/** Scalar functions that tell paths, run SQL from a string, or write to a log. */
const refusedFunctions = new Set([
  "current_setting",
  "getenv",
  "json_execute_serialized_sql",
  "json_serialize_plan",
  "pg_get_viewdef",
  "write_log",
]);

/** Nodes of the tree that are neither expressions nor name anything outside the query. */
const plainNodes = new Set([
  "SELECT_NODE",
  "SET_OPERATION_NODE",
  "RECURSIVE_CTE_NODE",
  "EMPTY",
  "SUBQUERY",
  "JOIN",
  "EXPRESSION_LIST",
  "PIVOT",
  "ORDER_MODIFIER",
  "LIMIT_MODIFIER",
  "LIMIT_PERCENT_MODIFIER",
  "DISTINCT_MODIFIER",
  "ORDER_DEFAULT",
  "ASCENDING",
  "DESCENDING",
]);

type Tree = Record<string, unknown>;

/** Names of common table expressions that a place in the query sees. */
interface Names {
  name: string;
  outer: Names | null;
}

/** The tree that `json_serialize_sql` gives → why it is refused, or null. */
export function judgeTree(serialized: string): string | null {
  const root = JSON.parse(serialized) as Tree;
  if (root.error !== false || !Array.isArray(root.statements)) {
    return "Only a single SELECT statement is allowed.";
  }
  // A stack of our own: the depth of the tree is the user's choice.
  const open: { node: unknown; names: Names | null }[] = [{ node: root.statements, names: null }];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { node } = at;
    let { names } = at;
    if (Array.isArray(node)) {
      for (const item of node) open.push({ node: item, names });
      continue;
    }
    if (typeof node !== "object" || node === null) continue;
    const tree = node as Tree;
    const refusal = judgeNode(tree, names);
    if (refusal !== null) return refusal;
    for (const entry of commonTables(tree)) {
      const seen: Names = { name: entry.name, outer: names };
      open.push({ node: entry.query, names: entry.recursive ? seen : names });
      if (/^(pg|duckdb|pragma|sqlite)_/.test(entry.name)) {
        return `Name "${entry.name}" otherwise: it belongs to the system.`;
      }
      names = seen;
    }
    for (const [key, child] of Object.entries(tree)) {
      if (key === "cte_map") continue;
      // The call's name was judged as a table function; its arguments are expressions.
      const below = tree.type === "TABLE_FUNCTION" && key === "function"
        ? (child as Tree).children
        : child;
      if (typeof below === "object" && below !== null) open.push({ node: below, names });
    }
  }
  return null;
}

function judgeNode(tree: Tree, names: Names | null): string | null {
  if (typeof tree.class === "string") {
    if (tree.class !== "FUNCTION") return null;
    const name = String(tree.function_name).toLowerCase();
    if (!refusedFunctions.has(name) && !name.startsWith("__internal")) return null;
    return `The function ${name} is not available here.`;
  }
  // Types of values and casts carry {id, type_info} and the like.
  if (typeof tree.type !== "string" || tree.type.endsWith("_TYPE_INFO")) return null;
  switch (tree.type) {
    case "BASE_TABLE":
      return judgeTable(tree, names);
    case "TABLE_FUNCTION": {
      const name = String((tree.function as Tree | undefined)?.function_name).toLowerCase();
      if (tableFunctions.has(name)) return null;
      return `The table function ${name} is not available here: only the views "events" and "metrics" can be read.`;
    }
    case "SHOW_REF":
      // DESCRIBE and SUMMARIZE hold a query, which is judged like any other.
      if (typeof tree.query === "object" && tree.query !== null) return null;
      if (tree.table_name === '"tables"') return null;
      return `SHOW is not available here. Use DESCRIBE events.`;
  }
  return plainNodes.has(tree.type) ? null : `This form of SELECT (${tree.type}) is not supported.`;
}

function judgeTable(tree: Tree, names: Names | null): string | null {
  const [catalog, schema, table] = [tree.catalog_name, tree.schema_name, tree.table_name]
    .map((part) => typeof part === "string" ? part.toLowerCase() : "") as [string, string, string];
  if (catalog === "" && schema === "") {
    for (let seen = names; seen !== null; seen = seen.outer) if (seen.name === table) return null;
  }
  // What is not named here may be a file to DuckDB: `FROM '/etc/passwd'`.
  if (catalogs.has(catalog) && tables.get(schema)?.has(table)) return null;
  const name = [catalog, schema, table].filter((part) => part !== "").join(".");
  return `There is no table "${name}" here. Your data is in the views "events" and "metrics".`;
}

function* commonTables(
  tree: Tree,
): Generator<{ name: string; query: unknown; recursive: boolean }> {
  const map = (tree.cte_map as Tree | undefined)?.map;
  if (!Array.isArray(map)) return;
  for (const entry of map as { key: string; value: { query?: { node?: Tree } } }[]) {
    yield {
      name: entry.key.toLowerCase(),
      query: entry.value,
      recursive: entry.value.query?.node?.type === "RECURSIVE_CTE_NODE",
    };
  }
}

/** What a refused statement is, by its first word; "" when there is none. */
export function firstWord(sql: string): string {
  const bare = sql.replace(/^(?:\s|;|\(|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/, "");
  return /^[a-z]+/i.exec(bare)?.[0].toUpperCase() ?? bare.slice(0, 1);
}
