/** What the rules need to know of one TypeScript source: what it imports, which names it binds and uses, and its syntax. */
import { type ParamPattern, parseSync, Visitor } from "oxc-parser"

/** Something at a line (1-based) of a source. */
export type At = { readonly line: number; readonly text: string }

export type Source = {
  readonly imports: readonly At[]
  /** Identifiers read or called that no declaration of the same file binds: globals, most of them. */
  readonly free: readonly At[]
  /** Member names behind a dot: `b` of `a.b`. */
  readonly members: readonly At[]
  /** `Math.random`, and every use of `Math` that could hide it: anything but `Math.name`. */
  readonly randoms: readonly At[]
  readonly casts: readonly At[]
  readonly classes: readonly At[]
  readonly ambient: readonly At[]
  /** Module-level `let` and `var`: state that no caller sees. */
  readonly mutable: readonly At[]
  /** Comments that tell a compiler to look away, and triple-slash references. */
  readonly directives: readonly At[]
  readonly lines: number
}

type Span = { readonly start: number; readonly end: number }

/** Reads one source. `path` is only for its extension. A source that does not parse throws: the tests then say where. */
export const readSource = (path: string, text: string): Source => {
  const { program, comments, errors, module } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0].message}`)

  const starts = [0]
  for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) starts.push(i + 1)
  const at = (offset: number, text: string): At => ({ line: starts.findLastIndex((s) => s <= offset) + 1, text })
  const slice = (node: Span): string => text.slice(node.start, node.end)

  const imports: At[] = []
  const members: At[] = []
  const casts: At[] = []
  const classes: At[] = []
  const ambient: At[] = []
  const identifiers: { readonly name: string; readonly start: number }[] = []
  const bound = new Set<string>()
  const notReferences = new Set<number>()
  const maths = new Set<number>()
  const topLevel = new Set<number>()
  const mutable: At[] = []

  const key = (node: { readonly computed: boolean; readonly key: Span }): void => {
    if (!node.computed) notReferences.add(node.key.start)
  }
  const bind = (pattern: ParamPattern): void => {
    switch (pattern.type) {
      case "Identifier":
        bound.add(pattern.name)
        return
      case "ObjectPattern":
        for (const property of pattern.properties)
          bind(property.type === "RestElement" ? property.argument : property.value)
        return
      case "ArrayPattern":
        for (const element of pattern.elements) if (element !== null) bind(element)
        return
      case "AssignmentPattern":
        bind(pattern.left)
        return
      case "RestElement":
        bind(pattern.argument)
        return
      case "TSParameterProperty":
        bind(pattern.parameter)
    }
  }

  for (const node of program.body) {
    topLevel.add(node.type === "ExportNamedDeclaration" && node.declaration ? node.declaration.start : node.start)
  }

  new Visitor({
    Identifier: (node) => identifiers.push(node),
    ImportDeclaration: (node) => imports.push(at(node.start, node.source.value)),
    ExportNamedDeclaration: (node) => {
      if (node.source) imports.push(at(node.start, node.source.value))
      for (const { local, exported } of node.specifiers) {
        // Of `export { a as b }` only `a` is a reference, and of `export { a } from` nothing is.
        if (node.source) notReferences.add(local.start)
        if (node.source || exported.start !== local.start) notReferences.add(exported.start)
      }
    },
    ExportAllDeclaration: (node) => {
      imports.push(at(node.start, node.source.value))
      if (node.exported) notReferences.add(node.exported.start)
    },
    // A dynamic import of anything but a literal comes out as its expression, which no rule allows.
    ImportExpression: (node) =>
      imports.push(at(node.start, node.source.type === "Literal" ? String(node.source.value) : slice(node.source))),
    TSImportType: (node) => imports.push(at(node.start, slice(node.source).slice(1, -1))),
    TSImportEqualsDeclaration: (node) => imports.push(at(node.start, slice(node.moduleReference))),
    MemberExpression: (node) => {
      if (node.computed) return
      notReferences.add(node.property.start)
      members.push(at(node.start, slice(node.property)))
      if (slice(node.property) !== "random") maths.add(node.object.start)
    },
    Property: (node) => {
      if (!node.shorthand) key(node)
    },
    PropertyDefinition: key,
    MethodDefinition: key,
    TSPropertySignature: key,
    TSMethodSignature: key,
    TSQualifiedName: (node) => notReferences.add(node.right.start),
    TSNamedTupleMember: (node) => notReferences.add(node.label.start),
    ImportSpecifier: (node) => {
      bound.add(node.local.name)
      notReferences.add(node.imported.start)
    },
    ImportDefaultSpecifier: (node) => bound.add(node.local.name),
    ImportNamespaceSpecifier: (node) => bound.add(node.local.name),
    VariableDeclaration: (node) => {
      if (node.declare === true) ambient.push(at(node.start, slice(node)))
      if (topLevel.has(node.start) && node.kind !== "const") mutable.push(at(node.start, slice(node)))
    },
    VariableDeclarator: (node) => bind(node.id),
    FunctionDeclaration: (node) => {
      if (node.id) bound.add(node.id.name)
      node.params.forEach(bind)
      if (node.declare === true) ambient.push(at(node.start, slice(node)))
    },
    TSDeclareFunction: (node) => {
      if (node.declare === true) ambient.push(at(node.start, slice(node)))
    },
    FunctionExpression: (node) => node.params.forEach(bind),
    ArrowFunctionExpression: (node) => node.params.forEach(bind),
    TSFunctionType: (node) => node.params.forEach(bind),
    CatchClause: (node) => {
      if (node.param) bind(node.param)
    },
    TSTypeAliasDeclaration: (node) => bound.add(node.id.name),
    TSInterfaceDeclaration: (node) => bound.add(node.id.name),
    TSModuleDeclaration: (node) => ambient.push(at(node.start, slice(node))),
    TSAsExpression: (node) => {
      if (slice(node.typeAnnotation) !== "const") casts.push(at(node.start, slice(node)))
    },
    TSTypeAssertion: (node) => casts.push(at(node.start, slice(node))),
    ClassDeclaration: (node) => classes.push(at(node.start, node.id?.name ?? "class")),
    ClassExpression: (node) => classes.push(at(node.start, node.id?.name ?? "class")),
  }).visit(program)

  return {
    imports,
    free: identifiers
      .filter(({ name, start }) => !bound.has(name) && !notReferences.has(start))
      .map(({ name, start }) => at(start, name))
      .concat(module.importMetas.map(({ start }) => at(start, "import.meta"))),
    members,
    randoms: identifiers
      .filter(({ name, start }) => name === "Math" && !maths.has(start))
      .map(({ start }) => at(start, "Math")),
    casts,
    classes,
    ambient,
    mutable,
    directives: comments
      .filter(({ value }) => /^\s*@ts-|^\/\s*</.test(value))
      .map(({ start, value }) => at(start, value.trim())),
    lines: starts.length - (text.endsWith("\n") ? 1 : 0),
  }
}
