//! The scenarios of `bindings/scenarios`, which every language runs, run here first. Needs the feature `test-hooks`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a scenario that cannot be read must stop the test")]

mod calls;
mod matching;
mod read;
mod show;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use safescan_core::{config::Config, error::SafeScanError, ffi::SafeScan};
use serde_json::{Map, Value};

use self::{matching::Saved, read::Fields};

/// No call takes a hundredth of this; one that waits for an event that does not come is given up.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn every_scenario_passes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../bindings/scenarios");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    assert!(!files.is_empty(), "there are no scenarios");
    let mut failed = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        match Scenario::parse(&text) {
            Ok(scenario) => failed.extend(scenario.run().await.err().map(|problem| format!("{name}, {problem}"))),
            Err(problem) => failed.push(format!("{name} {problem}")),
        }
    }
    assert!(failed.is_empty(), "{} of {} scenarios failed:\n{}", failed.len(), files.len(), failed.join("\n"));
}

struct Scenario {
    config: Value,
    steps: Vec<Step>,
}

struct Step {
    call: String,
    args: Value,
    config: Option<Value>,
    overwrite: Option<Value>,
    expect: Option<Value>,
    error: Option<String>,
    reason: String,
    save: BTreeMap<String, String>,
    turns: u64,
}

impl Scenario {
    fn parse(text: &str) -> Result<Self, String> {
        let mut fields = object(serde_json::from_str(text).map_err(|error| error.to_string())?);
        take_text(&mut fields, "name").ok_or("has no name")?;
        let config = fields.remove("config").unwrap_or_default();
        let steps = fields.remove("steps").and_then(|steps| serde_json::from_value::<Vec<Value>>(steps).ok());
        let steps = steps.unwrap_or_default().into_iter().map(Step::parse).collect::<Result<Vec<_>, _>>()?;
        match (steps.is_empty(), fields.keys().next()) {
            (true, _) => Err("has no steps".into()),
            (_, Some(unknown)) => Err(format!("has an unknown field {unknown}")),
            _ => Ok(Self { config, steps }),
        }
    }

    async fn run(&self) -> Result<(), String> {
        let directory = tempfile::tempdir().unwrap();
        let mut core = open(directory.path(), &self.config).await.map_err(|error| format!("opening: {error}"))?;
        let mut saved = Saved::new();
        for (number, step) in (1..).zip(&self.steps) {
            for turn in 0..step.turns {
                let taken = self.take(step, &mut core, directory.path(), &saved, turn);
                let result = tokio::time::timeout(PATIENCE, taken).await;
                let checked = result
                    .unwrap_or_else(|_| Err("does not come back".into()))
                    .and_then(|result| step.check(&result, &mut saved, turn));
                checked.map_err(|problem| format!("step {number} ({}), turn {turn}: {problem}", step.call))?;
            }
        }
        core.shutdown().await.map_err(|error| error.to_string())
    }

    /// Makes the step's call; its result, or null where it failed as it should.
    async fn take(
        &self,
        step: &Step,
        core: &mut Arc<SafeScan>,
        directory: &Path,
        saved: &Saved,
        turn: u64,
    ) -> Result<Value, String> {
        let result = if step.call == "reopen" {
            core.shutdown().await.map_err(|error| error.to_string())?;
            if let Some(change) = &step.overwrite {
                overwrite(&directory.join("safescan.db"), &change["find"], &change["put"])?;
            }
            let opened = open(directory, step.config.as_ref().unwrap_or(&self.config)).await;
            opened.map(|opened| {
                *core = opened;
                Value::Null
            })
        } else {
            calls::make(core, &step.call, Fields::of(matching::fill_in(&step.args, saved, turn))).await
        };
        match (result, &step.error) {
            (Ok(result), None) => Ok(result),
            (Ok(result), Some(expected)) => Err(format!("should have failed with {expected}, but gave {result}")),
            (Err(error), expected) => {
                let shown = format!("{error:?}");
                let variant = shown.split_whitespace().next();
                if variant == expected.as_deref() && error.to_string().contains(&step.reason) {
                    Ok(Value::Null)
                } else {
                    Err(format!("failed with {shown}"))
                }
            }
        }
    }
}

impl Step {
    fn parse(step: Value) -> Result<Self, String> {
        let mut fields = object(step);
        let call = take_text(&mut fields, "call").ok_or("has a step without a call")?;
        let save = fields.remove("save").map_or_else(|| Ok(BTreeMap::new()), serde_json::from_value);
        let step = Self {
            args: fields.remove("args").unwrap_or_default(),
            config: fields.remove("config"),
            overwrite: fields.remove("overwrite"),
            expect: fields.remove("expect"),
            error: take_text(&mut fields, "error"),
            reason: take_text(&mut fields, "reason").unwrap_or_default(),
            save: save.map_err(|_| format!("saves no texts after {call}"))?,
            turns: fields.remove("repeat").map_or(Some(1), |turns| turns.as_u64()).ok_or("repeats no times")?,
            call,
        };
        match fields.keys().next() {
            Some(unknown) => Err(format!("has an unknown field {unknown} in a step ({})", step.call)),
            None => Ok(step),
        }
    }

    fn check(&self, result: &Value, saved: &mut Saved, turn: u64) -> Result<(), String> {
        if let Some(expected) = &self.expect {
            matching::contains(result, &matching::fill_in(expected, saved, turn), "the result")?;
        }
        for (name, path) in &self.save {
            let place = format!("/{}", path.replace('.', "/"));
            let part = result.pointer(&place).ok_or_else(|| format!("has no {path} to save"))?;
            saved.insert(format!("${name}"), part.clone());
        }
        Ok(())
    }
}

async fn open(directory: &Path, config: &Value) -> Result<Arc<SafeScan>, SafeScanError> {
    let config: Config = Fields::of(config.clone()).config(directory)?;
    SafeScan::open(config).await
}

/// What a disk does that goes bad: the first place in the file with the text `find` holds `put`.
fn overwrite(file: &Path, find: &Value, put: &Value) -> Result<(), String> {
    let (Some(find), Some(put)) = (find.as_str(), put.as_str()) else { return Err("overwrites no texts".into()) };
    let mut content = fs::read(file).unwrap();
    let at = content.windows(find.len()).position(|window| window == find.as_bytes());
    let at = at.filter(|_| find.len() == put.len()).ok_or("finds nothing to overwrite")?;
    content[at..at + put.len()].copy_from_slice(put.as_bytes());
    fs::write(file, content).unwrap();
    Ok(())
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        other => panic!("{other} should be an object"),
    }
}

fn take_text(fields: &mut Map<String, Value>, name: &str) -> Option<String> {
    fields.remove(name).map(|text| text.as_str().expect("a text").to_owned())
}
