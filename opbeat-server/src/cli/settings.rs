//! The flags that set keys of the configuration: one for each key, made from the table of keys.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches, value_parser};

use crate::config::{Flags, KEYS, Key, Loaded, Mistakes, Purpose, Variables, load};

/// The id of the flag with the path of the file.
const CONFIG: &str = "config";

/// The keys that commands need to open the store.
const KEYS_OF_STORE: [&str; 3] = ["data", "store", "public_url"];

/// The flags of a server, with all keys.
pub(super) type ServerFlags = SettingFlags<true>;

/// The flags of a command that opens the store.
pub(super) type StoreFlags = SettingFlags<false>;

/// The flags of a command, for all keys or for those of the store.
#[derive(Clone, Debug, Default)]
pub(super) struct SettingFlags<const ALL: bool> {
    flags: Flags,
}

impl<const ALL: bool> SettingFlags<ALL> {
    /// Reads the configuration, with the environment and these flags over the file.
    pub(super) fn load(&self, purpose: Purpose) -> Result<Loaded, Mistakes> {
        load(purpose, &self.flags, &Variables::of_process())
    }

    /// Returns the flags with another file, if one is given.
    pub(super) fn with_file(mut self, file: Option<PathBuf>) -> Self {
        self.flags.config = file.or(self.flags.config);
        self
    }

    fn keys() -> impl Iterator<Item = &'static Key> {
        KEYS.iter().filter(|key| ALL || KEYS_OF_STORE.contains(&key.name))
    }
}

impl<const ALL: bool> Args for SettingFlags<ALL> {
    fn augment_args(command: Command) -> Command {
        let help = "The file with the configuration. Default: opbeat.toml in the data folder, if it exists [env: OPBEAT_CONFIG]";
        let config = Arg::new(CONFIG).long(CONFIG).value_name("FILE").value_parser(value_parser!(PathBuf)).help(help);
        Self::keys().fold(command.arg(config), |command, key| command.arg(flag(key)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// Makes the flag of a key. Its value is checked with all others, so that all mistakes are reported at once.
fn flag(key: &'static Key) -> Arg {
    let flag = Arg::new(key.name).long(key.flag()).value_name(key.value_name()).help(key.help());
    let flag = flag.action(if key.is_list() { ArgAction::Append } else { ArgAction::Set });
    let flag = if let Some(other) = key.other_flag { flag.alias(other) } else { flag };
    if key.is_in_table() { flag.hide_short_help(true).help_heading("Limits and other details") } else { flag }
}

impl<const ALL: bool> FromArgMatches for SettingFlags<ALL> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let value = |key: &'static Key| {
            let values: Vec<&str> = matches.get_many::<String>(key.name)?.map(String::as_str).collect();
            Some((key, values.join(",")))
        };
        let values = Self::keys().filter_map(value).collect();
        Ok(Self { flags: Flags { config: matches.get_one::<PathBuf>(CONFIG).cloned(), values } })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
