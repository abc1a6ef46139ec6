/// What is shown for `--help`.
pub const HELP: &str = "\
SPEC is a list of `name=probability`, with a comma between two, such as
`seed=7,drop-after-commit=0.1,status-503=0.1,cut-body=0.05,delay=0.2:50`. One thing besides a delay goes wrong with a
request at the most, the first that is drawn. Neither /healthz, /metrics nor /faults is touched.

  seed=N                     The same seed, the same faults (1)
  key=TEXT                   Wanted as a bearer token by POST /faults
  delay=P:MS                 Waits before anything is done
  drop=P                     Cuts the connection; nothing was done
  drop-after-commit=P        Cuts the connection; everything was done
  status-NNN=P               Answers with a status of 400 to 599; nothing was done
  status-NNN-after=P         Answers with it; everything was done
  rate-limit=P:SECONDS       Answers 429 with Retry-After; nothing was done
  cut-body=P                 Cuts the connection amid the answer; everything was done
  slow=P:MS                  Sends the answer in 16 pieces, MS apart
  bad-json=P                 Answers 200 with half of the answer as if it were all; everything was done
  html=P                     Answers 200 with a page to log in at, as captive portals do; nothing was done
  close-socket=P             Closes a WebSocket without a word instead of sending a frame

POST /faults, from this machine only, takes another SPEC as its body; an empty one ends all faults.
";

/// A list of faults.
#[derive(Clone, Debug)]
pub struct Spec {
    pub(super) seed: u64,
    pub(super) key: Option<String>,
    pub(super) rules: Vec<Rule>,
}

/// A fault and how often it happens.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) fault: Fault,
    pub(super) in_a_million: u32,
}

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Delay(u32),
    Drop,
    DropAfterCommit,
    Status(u16),
    StatusAfterCommit(u16),
    RateLimit(u32),
    CutBody,
    Slow(u32),
    BadJson,
    Html,
    CloseSocket,
}

impl Spec {
    /// Reads a list.
    ///
    /// # Errors
    /// In a line: what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut spec = Self { seed: 1, key: None, rules: Vec::new() };
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or_else(|| format!("\"{part}\" has no value"))?;
            match name {
                "seed" => spec.seed = value.parse().map_err(|_| format!("seed: \"{value}\" is no number"))?,
                "key" => spec.key = Some(value.to_owned()),
                _ => spec.rules.push(Rule::parse(name, value)?),
            }
        }
        Ok(spec)
    }
}

impl Rule {
    fn parse(name: &str, value: &str) -> Result<Self, String> {
        let (probability, number) = value.split_once(':').map_or((value, None), |(p, number)| (p, Some(number)));
        let odds: f64 = probability.parse().map_err(|_| format!("{name}: \"{probability}\" is no probability"))?;
        if !(0.0..=1.0).contains(&odds) {
            return Err(format!("{name}: {probability} does not lie between 0 and 1"));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and a million")]
        let in_a_million = (odds * 1_000_000.0).round() as u32;
        let with_number = |make: fn(u32) -> Fault| {
            let number =
                number.ok_or_else(|| format!("{name} wants a number after its probability, as in {name}=0.1:50"))?;
            number.parse().map(make).map_err(|_| format!("{name}: \"{number}\" is no number"))
        };
        let fault = match name {
            "delay" => with_number(Fault::Delay)?,
            "slow" => with_number(Fault::Slow)?,
            "rate-limit" => with_number(Fault::RateLimit)?,
            _ if number.is_some() => return Err(format!("{name} takes no number after its probability")),
            "drop" => Fault::Drop,
            "drop-after-commit" => Fault::DropAfterCommit,
            "cut-body" => Fault::CutBody,
            "bad-json" => Fault::BadJson,
            "html" => Fault::Html,
            "close-socket" => Fault::CloseSocket,
            other => status(other).ok_or_else(|| format!("there is no fault \"{other}\""))?,
        };
        Ok(Self { fault, in_a_million })
    }
}

fn status(name: &str) -> Option<Fault> {
    let rest = name.strip_prefix("status-")?;
    let (digits, make): (_, fn(u16) -> Fault) = match rest.strip_suffix("-after") {
        Some(digits) => (digits, Fault::StatusAfterCommit),
        None => (rest, Fault::Status),
    };
    digits.parse().ok().filter(|status| (400..600).contains(status)).map(make)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs() {
        let spec = Spec::parse("seed=9, key=k,drop=0.25,status-503=1,status-500-after=0,delay=0.5:40").expect("a spec");
        let rules: Vec<_> = spec.rules.iter().map(|rule| (rule.fault, rule.in_a_million)).collect();
        assert_eq!((spec.seed, spec.key.as_deref()), (9, Some("k")));
        let known = [
            (Fault::Drop, 250_000),
            (Fault::Status(503), 1_000_000),
            (Fault::StatusAfterCommit(500), 0),
            (Fault::Delay(40), 500_000),
        ];
        assert_eq!(rules, known);
        for bad in
            ["drop", "drop=2", "drop=x", "delay=0.5", "delay=0.5:x", "status-200=1", "storm=1", "drop=0.1:5", "seed=x"]
        {
            assert!(Spec::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_fault_is_in_the_help() {
        for name in [
            "delay",
            "drop",
            "drop-after-commit",
            "status-NNN",
            "status-NNN-after",
            "rate-limit",
            "cut-body",
            "slow",
            "bad-json",
            "html",
            "close-socket",
        ] {
            assert!(HELP.contains(&format!("  {name}=P")), "{name}");
        }
    }
}
