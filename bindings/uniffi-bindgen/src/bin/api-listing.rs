//! Lists everything that the library exports, from the metadata that UniFFI leaves in it.
//!
//!     api-listing --library PATH               prints the listing
//!     api-listing --library PATH --check FILE  fails if FILE does not hold the listing
//!
//! One item a line, its members indented below. Items and methods are sorted; fields and variants keep their order, which
//! is part of the binary interface. Left out is what only tests see: names that begin with `test_`.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::{self, Write as _},
    process::ExitCode,
};

use anyhow::{Context as _, Result, bail, ensure};
use camino::Utf8PathBuf;
use uniffi_bindgen::macro_metadata::extract_from_library;
use uniffi_meta::{
    DefaultValueMetadata, EnumShape, FieldMetadata, FnParamMetadata, LiteralMetadata, Metadata, ObjectImpl, Type,
    VariantMetadata,
};

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            writeln!(io::stderr(), "api-listing: {error:#}").ok();
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<bool> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (library, file) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--library", library] => (library, None),
        ["--library", library, "--check", file] => (library, Some(file)),
        _ => bail!("usage: api-listing --library PATH [--check FILE]"),
    };
    let items = extract_from_library(&Utf8PathBuf::from(library)).with_context(|| format!("reading {library}"))?;
    let listing = Listing::of(items)?;
    ensure!(!listing.items.is_empty(), "{library} exports nothing: was it stripped?");
    let Some(file) = file else {
        io::stdout().write_all(listing.to_text().as_bytes())?;
        return Ok(true);
    };
    let stored = fs::read_to_string(file).with_context(|| format!("reading {file}"))?;
    if stored == listing.to_text() {
        return Ok(true);
    }
    let mut out = io::stderr().lock();
    writeln!(out, "{file} (-) is not what the library exports (+):")?;
    let (old, new) = (with_headings(&stored), with_headings(&listing.to_text()));
    for line in old.symmetric_difference(&new) {
        writeln!(out, "{} {line}", if old.contains(line) { '-' } else { '+' })?;
    }
    if old == new {
        writeln!(out, "  the same lines, in another order")?;
    }
    writeln!(out, "If this is meant, renew it: scripts/bindings --api")?;
    Ok(false)
}

/// Lines that can be compared without what stands above them.
fn with_headings(text: &str) -> BTreeSet<String> {
    let mut heading = "";
    let mut lines = BTreeSet::new();
    for line in text.lines() {
        match line.strip_prefix(INDENT) {
            Some(member) => lines.insert(format!("{heading}: {member}")),
            None => {
                heading = line;
                lines.insert(line.to_owned())
            }
        };
    }
    lines
}

const INDENT: &str = "    ";

#[derive(Default)]
struct Listing {
    /// Members by their item's heading.
    items: BTreeMap<String, Vec<String>>,
    /// Methods and constructors by their object's name: they come apart from it.
    methods: BTreeMap<String, BTreeSet<String>>,
}

impl Listing {
    fn of(items: Vec<Metadata>) -> Result<Self> {
        let mut listing = Self::default();
        let mut objects = BTreeMap::new();
        for item in items {
            match item {
                Metadata::Namespace(_) | Metadata::UdlFile(_) => {}
                Metadata::Func(it) if is_for_tests(&it.name) => {}
                Metadata::Func(it) => {
                    let call = call(&it.name, it.is_async, &it.inputs, it.return_type.as_ref(), it.throws.as_ref());
                    listing.items.insert(format!("function {call}"), Vec::new());
                }
                Metadata::Record(it) => {
                    listing.items.insert(format!("record {}", it.name), it.fields.iter().map(field).collect());
                }
                Metadata::Enum(it) => {
                    let kind = if it.shape == EnumShape::Enum { "enum" } else { "error" };
                    listing.items.insert(format!("{kind} {}", it.name), it.variants.iter().map(variant).collect());
                }
                Metadata::CustomType(it) => {
                    listing.items.insert(format!("type {} = {}", it.name, shown(&it.builtin)), Vec::new());
                }
                Metadata::Object(it) => {
                    let kind = if it.imp == ObjectImpl::Struct { "object" } else { "trait" };
                    objects.insert(it.name, kind);
                }
                Metadata::Constructor(it) => {
                    let call = call(&it.name, it.is_async, &it.inputs, None, it.throws.as_ref());
                    listing.method(it.self_name, &it.name, format!("constructor {call}"));
                }
                Metadata::Method(it) => {
                    let call = call(&it.name, it.is_async, &it.inputs, it.return_type.as_ref(), it.throws.as_ref());
                    listing.method(it.self_name, &it.name, call);
                }
                Metadata::TraitMethod(it) => {
                    let call = call(&it.name, it.is_async, &it.inputs, it.return_type.as_ref(), it.throws.as_ref());
                    listing.method(it.trait_name, &it.name, call);
                }
                other => bail!("there is no line for this yet: {other:?}"),
            }
        }
        for (name, kind) in objects {
            let methods = listing.methods.remove(&name).unwrap_or_default();
            listing.items.insert(format!("{kind} {name}"), methods.into_iter().collect());
        }
        ensure!(listing.methods.is_empty(), "methods without an object: {:?}", listing.methods);
        Ok(listing)
    }

    fn method(&mut self, object: String, name: &str, line: String) {
        if !is_for_tests(name) {
            self.methods.entry(object).or_default().insert(line);
        }
    }

    fn to_text(&self) -> String {
        let mut text = String::new();
        for (heading, members) in &self.items {
            text.extend([heading, "\n"]);
            members.iter().for_each(|member| text.extend([INDENT, member, "\n"]));
        }
        text
    }
}

fn is_for_tests(name: &str) -> bool {
    name.starts_with("test_")
}

fn call(name: &str, is_async: bool, inputs: &[FnParamMetadata], output: Option<&Type>, error: Option<&Type>) -> String {
    let inputs: Vec<String> = inputs.iter().map(|it| value(&it.name, &it.ty, it.default.as_ref())).collect();
    let output = output.map(|ty| format!(" -> {}", shown(ty))).unwrap_or_default();
    let error = error.map(|ty| format!(" throws {}", shown(ty))).unwrap_or_default();
    let waits = if is_async { " async" } else { "" };
    format!("{name}({}){waits}{output}{error}", inputs.join(", "))
}

fn field(field: &FieldMetadata) -> String {
    value(&field.name, &field.ty, field.default.as_ref())
}

fn variant(variant: &VariantMetadata) -> String {
    let fields: Vec<String> = variant.fields.iter().map(field).collect();
    if fields.is_empty() { variant.name.clone() } else { format!("{} {{ {} }}", variant.name, fields.join(", ")) }
}

fn value(name: &str, ty: &Type, default: Option<&DefaultValueMetadata>) -> String {
    let default = default.map(|default| format!(" = {}", default_value(default))).unwrap_or_default();
    format!("{name}: {}{default}", shown(ty))
}

fn default_value(default: &DefaultValueMetadata) -> String {
    match default {
        DefaultValueMetadata::Default => "default".into(),
        DefaultValueMetadata::Literal(literal) => match literal {
            LiteralMetadata::Boolean(flag) => flag.to_string(),
            LiteralMetadata::String(text) => format!("{text:?}"),
            LiteralMetadata::UInt(number, ..) => number.to_string(),
            LiteralMetadata::Int(number, ..) => number.to_string(),
            LiteralMetadata::Float(number, _) => number.clone(),
            LiteralMetadata::Enum(variant, _) => variant.clone(),
            LiteralMetadata::EmptySequence => "[]".into(),
            LiteralMetadata::EmptyMap => "{}".into(),
            LiteralMetadata::None => "none".into(),
            LiteralMetadata::Some { inner } => default_value(inner),
        },
    }
}

/// A type as Rust writes it.
fn shown(ty: &Type) -> String {
    match ty {
        Type::UInt8 => "u8".into(),
        Type::Int8 => "i8".into(),
        Type::UInt16 => "u16".into(),
        Type::Int16 => "i16".into(),
        Type::UInt32 => "u32".into(),
        Type::Int32 => "i32".into(),
        Type::UInt64 => "u64".into(),
        Type::Int64 => "i64".into(),
        Type::Float32 => "f32".into(),
        Type::Float64 => "f64".into(),
        Type::Boolean => "bool".into(),
        Type::Optional { inner_type } => format!("Option<{}>", shown(inner_type)),
        Type::Sequence { inner_type } => format!("Vec<{}>", shown(inner_type)),
        Type::Map { key_type, value_type } => format!("Map<{}, {}>", shown(key_type), shown(value_type)),
        Type::String | Type::Bytes | Type::Timestamp | Type::Duration => format!("{ty:?}"),
        Type::Object { name, .. }
        | Type::Record { name, .. }
        | Type::Enum { name, .. }
        | Type::CallbackInterface { name, .. }
        | Type::Custom { name, .. } => name.clone(),
    }
}
