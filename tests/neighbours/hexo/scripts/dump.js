'use strict';

// Writes what Hexo understood of each post to public/posts.json.
hexo.extend.generator.register('dump', (locals) => ({
  path: 'posts.json',
  data: JSON.stringify(locals.posts.map((post) => ({
    source: post.source,
    path: post.path,
    title: post.title,
    date: post.date.toISOString(),
    headimg: post.headimg,
    author: post.author,
    comments: post.comments,
    categories: post.categories.map((one) => one.name),
    content: post.content,
    excerpt: post.excerpt,
  }))),
}));
