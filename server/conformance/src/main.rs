//! `safescan-conformance URL`: checks a running server, a line for each case.

use std::{
    io::{self, IsTerminal as _, Write},
    process::ExitCode,
};

use safescan_conformance::{Case, Options, Summary, Verdict, cases, run};
use serde_json::json;

const HELP: &str = "\
safescan-conformance: checks a server of the SafeScan protocol against docs/protocol.md

    safescan-conformance [OPTIONS] URL

    URL                  where the server is, such as http://127.0.0.1:8080 or https://sync.example.com/v1

    --token TOKEN        for servers that want one; the cases that need two devices of one account run only with it
    --other-token TOKEN  of another account, for the cases that need two accounts
    --filter TEXT        only cases whose name holds this
    --list               list the cases, and check nothing
    --json               one JSON object for each case, and one for the summary
    --help               this

Each run makes up its own devices, voters and codes: it can be repeated, and disturbs nobody on a server in use. It leaves
some hundred votes on codes that do not exist. Against a server with tokens it uses up about a tenth of the account's
votes of the day.

Exit code: 0 if no case failed, 1 if one did, 2 if the server cannot be talked to or the command line is wrong.
";

struct Arguments {
    options: Options,
    filter: String,
    as_json: bool,
    list: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match conform().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            // Nobody is left to tell if this fails.
            drop(writeln!(io::stderr(), "safescan-conformance: {why}"));
            ExitCode::from(2)
        }
    }
}

/// Whether no case failed.
async fn conform() -> Result<bool, String> {
    let Some(arguments) = arguments().map_err(|error| format!("{error}; --help tells more"))? else {
        return write(HELP).map(|()| true);
    };
    if arguments.list {
        let list: String = cases().iter().map(|case| format!("{:7} {}\n", case.paragraph, case.name)).collect();
        return write(&list).map(|()| true);
    }
    let total = cases().iter().filter(|case| case.name.contains(&arguments.filter)).count();
    let progress = Progress { on: io::stderr().is_terminal() && !arguments.as_json, total };
    progress.show(0);
    let (mut done, mut broken) = (0, None);
    let summary = run(&arguments.options, &arguments.filter, |case, verdict| {
        done += 1;
        progress.clear();
        let line = if arguments.as_json { as_json(case, verdict) } else { as_text(case, verdict) };
        if let Err(why) = write(&line) {
            broken = Some(why);
        }
        progress.show(done);
    })
    .await;
    progress.clear();
    let summary = summary?;
    if let Some(why) = broken {
        return Err(why);
    }
    let Summary { passed, failed, skipped } = summary;
    let last = if arguments.as_json {
        format!("{}\n", json!({"passed": passed, "failed": failed, "skipped": skipped}))
    } else {
        format!("\n{passed} passed, {failed} failed, {skipped} skipped\n")
    };
    write(&last)?;
    if passed + failed + skipped == 0 {
        return Err("no case has such a name".into());
    }
    Ok(failed == 0)
}

/// The command line; `None` if help is wanted.
fn arguments() -> Result<Option<Arguments>, lexopt::Error> {
    use lexopt::prelude::{Long, Short, Value, ValueExt as _};
    let mut options = Options::default();
    let (mut filter, mut as_json, mut list) = (String::new(), false, false);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(None),
            Long("token") => options.token = Some(parser.value()?.string()?),
            Long("other-token") => options.other_token = Some(parser.value()?.string()?),
            Long("filter") => filter = parser.value()?.string()?,
            Long("json") => as_json = true,
            Long("list") => list = true,
            Value(url) if options.base.is_empty() => options.base = url.string()?,
            other => return Err(other.unexpected()),
        }
    }
    if options.base.is_empty() && !list {
        return Err("where is the server? URL is missing".into());
    }
    Ok(Some(Arguments { options, filter, as_json, list }))
}

fn as_text(case: &Case, verdict: &Verdict) -> String {
    let Case { name, paragraph, .. } = case;
    match verdict {
        Verdict::Passed => format!("pass  {paragraph:7} {name}\n"),
        Verdict::Skipped(why) => format!("skip  {paragraph:7} {name}: {why}\n"),
        Verdict::Failed(failure) => {
            format!(
                "FAIL  {paragraph:7} {name}\n      expected {}\n      came     {}\n",
                failure.expected, failure.came
            )
        }
    }
}

fn as_json(case: &Case, verdict: &Verdict) -> String {
    let mut line = json!({"case": case.name, "paragraph": case.paragraph});
    match verdict {
        Verdict::Passed => line["verdict"] = "pass".into(),
        Verdict::Skipped(why) => {
            line["verdict"] = "skip".into();
            line["why"] = (*why).into();
        }
        Verdict::Failed(failure) => {
            line["verdict"] = "fail".into();
            line["expected"] = failure.expected.clone().into();
            line["came"] = failure.came.clone().into();
        }
    }
    format!("{line}\n")
}

/// A line that tells how far the kit is, where somebody looks on.
struct Progress {
    on: bool,
    total: usize,
}

impl Progress {
    fn show(&self, done: usize) {
        if self.on {
            self.say(&format!("\r{done} of {}", self.total));
        }
    }

    fn clear(&self) {
        if self.on {
            self.say("\r\x1b[K");
        }
    }

    /// It is only for the eye: that it cannot be shown is no failure.
    fn say(&self, text: &str) {
        let mut stderr = io::stderr().lock();
        drop(stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()));
    }
}

fn write(text: &str) -> Result<(), String> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| format!("the output cannot be written: {error}"))
}
