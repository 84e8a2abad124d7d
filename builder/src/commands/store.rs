//! The commands of `store`: the part of the program that reads their arguments and prints.

use std::time::{Duration, SystemTime};

use builder::error::Error;
use builder::inputs;
use builder::inputs::store::{Keep, Store};
use console::print;
use serde_json::json;

use crate::{bytes, cli, store_folder, unprinted};

/// Removes inputs from the store.
pub fn prune(arguments: &cli::Prune) -> Result<(), Error> {
    let folder = store_folder(arguments.store.as_deref())?;
    let all = match arguments.keep_days.is_some() || arguments.unused {
        true => u64::MAX,
        false => 0,
    };
    let day = Duration::from_secs(24 * 60 * 60);
    let before = |days: u32| SystemTime::now().checked_sub(day * days);
    let store = Store::alone_in(&folder)?;
    let needed = arguments.unused.then(|| inputs::needed(&store));
    let needed = needed.transpose()?;
    for project in needed.iter().flat_map(|needed| &needed.projects) {
        print::note(&format!("{} needs its inputs", project.display()));
    }
    let pruned = store.trim(&Keep {
        bytes: arguments.keep.map_or(all, bytes),
        since: arguments.keep_days.and_then(before),
        named: needed.map(|needed| needed.names),
    })?;
    let (removed, left) = (mebibytes(pruned.removed), mebibytes(pruned.left));
    print::note(&format!("removed {removed} MiB; {left} MiB remain"));
    print::line(&folder.display().to_string()).map_err(unprinted)
}

/// Prints a table, or JSON.
pub fn size(arguments: &cli::Size) -> Result<(), Error> {
    let folder = store_folder(arguments.store.as_deref())?;
    let shares = Store::sizes(&folder)?;
    let total: u64 = shares.iter().map(|share| share.bytes).sum();
    if arguments.json {
        let kinds = shares.iter().map(
            |share| json!({ "kind": share.kind, "inputs": share.inputs, "bytes": share.bytes }),
        );
        let report = json!({ "store": folder, "kinds": kinds.collect::<Vec<_>>(), "bytes": total });
        return print::json(&report.to_string()).map_err(unprinted);
    }
    let line = |kind: &str, inputs: usize, bytes: u64| {
        format!("{kind:<10} {inputs:>8} {:>10}", mebibytes(bytes))
    };
    let rows = shares.iter().filter(|share| share.inputs > 0);
    let rows = rows.map(|share| line(share.kind, share.inputs, share.bytes));
    let inputs = shares.iter().map(|share| share.inputs).sum();
    let head = format!("{:<10} {:>8} {:>10}", "kind", "inputs", "MiB");
    let table: Vec<_> = [head]
        .into_iter()
        .chain(rows)
        .chain([line("all", inputs, total)])
        .collect();
    print::line(&table.join("\n")).map_err(unprinted)
}

fn mebibytes(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}
