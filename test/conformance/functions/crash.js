// Cannot be loaded.
throw new Error('boom at load');
