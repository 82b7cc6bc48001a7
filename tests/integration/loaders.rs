//! What server loaders return: records with a secret field that go out whole, and those that do not.

use crate::workspace::Workspace;

const ADMIN: &str = r#"{"dependencies": {"@remix-run/react": "2", "react": "18", "react-dom": "18"}}"#;

/// Whether each text, in a file of its kind, has the finding about the returned field, and no other of that rule.
fn told(kind: &str, texts: &[String]) -> Vec<bool> {
    let work = Workspace::new();
    work.write("package.json", ADMIN);
    for (at, text) in texts.iter().enumerate() {
        work.write(format!("app/routes/{at}.{kind}"), text);
    }
    let report = work.run(&["scan", "--format", "json"]).json();
    let all = report["findings"].as_array().unwrap().iter().filter(|one| one["code"] == "ANSA1007");
    let paths: Vec<&str> = all.map(|one| one["path"].as_str().unwrap()).collect();
    (0..texts.len()).map(|at| paths.contains(&format!("app/routes/{at}.{kind}").as_str())).collect()
}

/// Checks that all of `texts` are told of, or none.
fn check(kind: &str, texts: &[String], is_told: bool) {
    let wrong = texts.iter().zip(told(kind, texts)).filter(|(_, told)| *told != is_told);
    let wrong: Vec<&str> = wrong.map(|(text, _)| text.as_str()).collect();
    assert!(wrong.is_empty(), "told should be {is_told}:\n{}", wrong.join("\n"));
}

/// A query that reads the field, and others.
const QUERY: &str =
    "await db.settings.findUnique({ where: { shop }, select: { mode: true, ansaMerchantSecretKey: true } })";

#[test]
fn a_record_that_is_returned_whole_is_told() {
    let returns = [
        "return { settings };",
        "return settings;",
        "return json({ settings });",
        "return json(settings);",
        "return await json({ settings, shop });",
        "return Response.json({ settings });",
        "return defer({ settings });",
        "return data({ settings }, { status: 200 });",
        "return { ...settings };",
        "return json({ ...settings, shop });",
        "return { settings: settings ?? null };",
        "return settings ? json({ settings }) : json({});",
        "if (!settings) { return redirect('/') }\n  return { a: { b: settings } };",
        "const { ansaMerchantSecretKey } = settings;\n  return { ansaMerchantSecretKey };",
        "const { ansaMerchantSecretKey: key } = settings;\n  return { key };",
        "const { key: ansaMerchantSecretKey } = settings;\n  return { key: ansaMerchantSecretKey };",
        "const key = settings.ansaMerchantSecretKey;\n  return { key };",
        "const key = settings?.ansaMerchantSecretKey ?? '';\n  return json({ key });",
        "const { mode, ...rest } = settings;\n  return json(rest);",
        "return new Response(JSON.stringify(settings));",
        "const result = { settings };\n  return result;",
        "const copy = Object.assign({}, settings);\n  return copy;",
        "return { form: `${settings.ansaMerchantSecretKey}` };",
        "return { ...settings, mode: 'live' };",
    ];
    let texts = returns.map(|returned| {
        format!(
            "import {{ json, defer }} from '@remix-run/node';\nexport const loader = async ({{ request }}) => {{\n  const settings = {QUERY};\n  {returned}\n}};\nexport default function Page() {{ return null }}\n"
        )
    });
    check("tsx", &texts, true);
}

#[test]
fn whatever_reads_the_record() {
    let bodies = [
        "return prisma.settings.findFirst({ select: { ansaMerchantSecretKey: true } });",
        "return json(await prisma.settings.findMany({ select: { ansaMerchantSecretKey: true } }));",
        "const [settings] = await db.select({ ansaMerchantSecretKey: t.key }).from(t).where(eq(t.shop, shop));\n  return { settings };",
        "const [a, settings] = await Promise.all([other(), prisma.s.findFirst({ select: { ansaMerchantSecretKey: true } })]);\n  return { settings };",
        "const shop = await prisma.shop.findFirst({ select: { name: true, settings: { select: { ansaMerchantSecretKey: true } } } });\n  return { settings: shop.settings };",
        "const shop = await prisma.shop.findFirst({ include: { settings: { select: { ansaMerchantSecretKey: true } } } });\n  return { shop };",
        "const s = await Settings.findOne({ shop }).select('mode ansaMerchantSecretKey').lean();\n  return { s };",
        "const { data } = await supabase.from('s').select('ansaMerchantSecretKey').single();\n  return { data };",
        "const { rows } = await pool.query('SELECT ansaMerchantSecretKey FROM settings');\n  return { rows };",
        "const s = await Shop.findOne({ attributes: ['mode', 'ansaMerchantSecretKey'] });\n  return { s };",
        "let settings = null;\n  try { settings = await p.s.findFirst({ select: FIELDS }) } catch (e) { return null }\n  return { settings };",
        "return { all: (await p.s.findMany({ select: FIELDS })).map((one) => ({ ...one })) };",
        "return load(request);",
        "const settings = await load(request);\n  return { settings };",
        "const data = { shop };\n  data.ansaMerchantSecretKey = row.key;\n  return data;",
        "return pick(row, ['mode', 'ansaMerchantSecretKey']);",
    ];
    let texts = bodies.map(|body| {
        format!(
            "const FIELDS = {{ mode: true, ansaMerchantSecretKey: true }};\nasync function load(request) {{ return p.s.findFirst({{ select: FIELDS }}) }}\nexport async function loader({{ request }}) {{\n  {body}\n}}\n"
        )
    });
    check("jsx", &texts, true);
    let listed = "const loader = async () => ({ ansaMerchantSecretKey: row.k })\nexport { loader }\n";
    let page = "export async function getServerSideProps() {\n  const s = await p.s.findFirst({ select: { ansaMerchantSecretKey: true } })\n  return { props: { s } }\n}\n";
    let hook = "export async function loader() { return { s: await load() } }\nexport default function P() {\n  const { s } = useLoaderData();\n  const { ansaMerchantSecretKey } = s;\n  return null;\n}\n";
    check("tsx", &[listed, page, hook].map(str::to_owned), true);
}

#[test]
fn what_stays_on_the_server_is_silent() {
    let returns = [
        "await charge(settings.ansaMerchantSecretKey);\n  return { ok: true };",
        "const result = await fetch(url, { headers: { Authorization: settings.ansaMerchantSecretKey } });\n  return json(await result.json());",
        "return { mode: settings.mode };",
        "const { mode } = settings;\n  return { mode };",
        "const { ansaMerchantSecretKey, ...safe } = settings;\n  return safe;",
        "const { ansaMerchantSecretKey: _, ...safe } = settings;\n  return json({ settings: safe });",
        "const { ansaMerchantSecretKey, ...safe } = settings;\n  return { ...safe, isSet: Boolean(ansaMerchantSecretKey) };",
        "return { hasKey: !!settings.ansaMerchantSecretKey };",
        "return { hasKey: settings.ansaMerchantSecretKey !== null };",
        "return { ...settings, ansaMerchantSecretKey: undefined };",
        "return { ...settings, ansaMerchantSecretKey: settings.ansaMerchantSecretKey ? '••••' : null };",
        "return { settings: { ...settings, ansaMerchantSecretKey: mask(settings.ansaMerchantSecretKey) } };",
        "return { last: settings.ansaMerchantSecretKey.slice(-4) };",
        "delete settings.ansaMerchantSecretKey;\n  return settings;",
        "settings.ansaMerchantSecretKey = null;\n  return settings;",
        "return json(omit(settings, ['ansaMerchantSecretKey']));",
        "const client = new Ansa({ ansaMerchantSecretKey: settings.ansaMerchantSecretKey });\n  return json(await client.balance());",
        "return { length: settings.ansaMerchantSecretKey.length };",
        "return redirect('/');",
        "const ansaMerchantSecretKey = mask(settings.key);\n  return { ansaMerchantSecretKey };",
    ];
    let texts = returns.map(|returned| {
        format!(
            "import {{ json }} from '@remix-run/node';\nexport const loader = async ({{ request }}) => {{\n  const settings = {QUERY};\n  {returned}\n}};\nexport default function Page() {{ const data = useLoaderData(); return data.mode }}\n"
        )
    });
    check("tsx", &texts, false);
    let texts = [
        "export const loader = async () => json(await p.s.findFirst({ omit: { ansaMerchantSecretKey: true } }));\n",
        "export const loader = async () => p.s.findFirst({ where: { ansaMerchantSecretKey: k }, select: { mode: true } });\n",
        "export const loader = async () => p.s.findFirst({ select: { mode: true, ansaMerchantSecretKey: false } });\n",
        "export const loader = async () => { const s = await load(); return { a: await pay(s) } }\nfunction pay(s) { return call(s.ansaMerchantSecretKey) }\nexport default function P() { return useLoaderData().a }\n",
        "export async function loader() { return null }\nasync function other() { return p.s.findFirst({ select: { ansaMerchantSecretKey: true } }) }\n",
    ];
    check("jsx", &texts.map(str::to_owned), false);
}

#[test]
fn a_value_is_followed_no_further_than_it_goes() {
    let nested = format!(
        "export const loader = () => ({}row{})\nconst ansaMerchantSecretKey = 1",
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    check("js", &[nested], false);
    let circle = "const a = b, b = { ...a, ansaMerchantSecretKey: row.k }\nconst f = () => g(), g = () => f()\nexport const loader = () => ({ ...a, c: f() })\n";
    check("js", &[circle.to_owned()], true);
}
