//! The program: reads what is asked for, serves, and ends well.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use safescan_server::{app::App, auth::Auth, config::Config, faults::Faults, http, log, options};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    match options::read(std::env::args_os().skip(1)) {
        Ok(options::Command::Print(text)) => {
            let _ = io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Ok(options::Command::Serve(options)) => match serve(*options) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => fail(&why, ExitCode::FAILURE),
        },
        // As is usual for a wrong call.
        Err(why) => fail(&why, ExitCode::from(2)),
    }
}

fn fail(why: &str, code: ExitCode) -> ExitCode {
    let _ = writeln!(io::stderr(), "safescan-server: {why}");
    code
}

fn serve(options: options::Options) -> Result<(), String> {
    let config = options.config.as_deref().map(Config::read).transpose()?.unwrap_or_default();
    let auth = Auth::new(&config.auth)?;
    log::start(options.level);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the threads cannot be started: {error}"))?;
    runtime.block_on(async {
        let listener =
            http::listen(options.listen).map_err(|error| format!("cannot listen on {}: {error}", options.listen))?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let app = App::open(&options.data, config, auth, options.faults.map(Faults::new))
            .map_err(|error| format!("{}: {error}", options.data.display()))?;
        let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
        let mut out = io::stdout();
        // Whoever started this waits for the line; if nobody reads it, nobody does.
        let _ = writeln!(out, "listening on http://{address}").and_then(|()| out.flush());
        http::serve(app, listener, async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
        .await
        .map_err(|error| error.to_string())
    })
}
